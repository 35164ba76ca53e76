"""The planner: turns any expression into a small number of searches that the API accepts."""
