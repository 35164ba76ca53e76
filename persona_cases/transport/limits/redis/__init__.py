"""The limiter that several processes share through Redis."""
