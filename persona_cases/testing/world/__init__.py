"""The simulated organisation and its cases."""
