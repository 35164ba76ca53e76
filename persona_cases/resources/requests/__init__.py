"""Conversion of arguments to the parts of a request."""
