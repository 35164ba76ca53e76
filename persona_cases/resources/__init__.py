"""The methods of the API: each turns arguments into a request, and returns a model or a pager."""
