"""From any expression to the fewest searches that the API accepts."""
