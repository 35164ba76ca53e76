"""Hosts and URLs: which may be contacted, and how they are written."""
