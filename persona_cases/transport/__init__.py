"""I/O: the session, the limiters, the middleware, and the attempt loop that combines them."""
