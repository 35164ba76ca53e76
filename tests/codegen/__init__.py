"""Modules made from templates."""
