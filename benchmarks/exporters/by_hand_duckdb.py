"""From JSON Lines that are there to Parquet, by DuckDB with one thread. Run by `export.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def main(_: str, lines: str) -> None:
    table = Path(lines).with_suffix(".by-hand.parquet")
    with duckdb.connect() as database:
        database.execute("SET threads = 1")
        cases = database.read_json(lines)
        cases.write_parquet(str(table), compression="zstd")
    table.unlink()


main(*sys.argv[1:])
