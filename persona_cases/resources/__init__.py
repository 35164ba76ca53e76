"""What can be asked of the API: arguments in, a request out, a model or a pager back."""
