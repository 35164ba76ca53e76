"""The text form of a query."""
