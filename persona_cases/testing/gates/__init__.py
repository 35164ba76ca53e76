"""The gates that a simulated request must pass before its endpoint."""
