"""Time ranges, and which fetcher gets which."""
