"""I/O: the session, the limiter, the hooks, and the attempt loop that puts them together."""
