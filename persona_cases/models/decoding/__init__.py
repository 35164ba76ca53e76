"""From the text of a response to models."""
