"""The simulated endpoints."""
