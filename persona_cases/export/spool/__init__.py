"""What was fetched, durable until the file is complete."""
