"""The text form of search expressions."""
