"""Time ranges, and their assignment to fetchers."""
