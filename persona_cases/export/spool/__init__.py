"""The spool: fetched cases, kept on disk until the file is complete."""
