"""From arguments to the parts of a request."""
