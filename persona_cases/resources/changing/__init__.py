"""Bulk changes with a journal: each row is changed at most once, despite crashes."""
