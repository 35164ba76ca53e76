"""Databases that a mirror can be: SQLite, DuckDB and PostgreSQL."""
