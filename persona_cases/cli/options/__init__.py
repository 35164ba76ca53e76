"""What options mean, and which are refused."""
