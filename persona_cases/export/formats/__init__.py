"""The formats of exported files: JSON Lines, CSV, Parquet and SQLite, compressed or not."""
