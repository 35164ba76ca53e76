"""Exports: their arguments, and the sources of their pages."""
