"""Sync of a mirror: which cases to read, and in which order."""
