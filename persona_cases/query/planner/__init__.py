"""The planner: turns any expression into few searches that the API accepts."""
