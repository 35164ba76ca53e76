"""What each simulated endpoint does."""
