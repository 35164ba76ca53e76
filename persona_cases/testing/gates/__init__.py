"""What a simulated request must pass before its endpoint."""
