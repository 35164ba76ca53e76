"""Syncing a mirror: which cases are read, and in which order."""
