"""I/O: the session, the limiter, the middleware, and the attempt loop that puts them together."""
