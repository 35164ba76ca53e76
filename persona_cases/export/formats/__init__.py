"""What the file of an export looks like: JSON Lines, CSV, Parquet or SQLite, compressed or not."""
