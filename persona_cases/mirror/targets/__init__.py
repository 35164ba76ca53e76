"""Mirrors in SQLite, DuckDB and PostgreSQL databases."""
