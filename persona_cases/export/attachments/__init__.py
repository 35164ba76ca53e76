"""The files that are attached to exported cases: which there are, what to call them, and fetching them."""
