"""The rate limit: what a request waits for before it leaves."""
