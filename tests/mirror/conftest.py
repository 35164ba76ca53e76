"""Databases of each kind for the tests of mirrors."""

from __future__ import annotations

import pytest
from databases import KINDS, Database, fresh_schema, postgres_server


@pytest.fixture(scope="session")
def postgres():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'persona-cases[postgres]'")
    with postgres_server() as url:
        yield url


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    match request.param:
        case "sqlite":
            return Database("sqlite", str(tmp_path / "cases.db"))
        case "duckdb":
            pytest.importorskip("duckdb", reason="duckdb is not installed: pip install 'persona-cases[duckdb]'")
            return Database("duckdb", str(tmp_path / "cases.duckdb"))
        case _:
            return Database("postgres", fresh_schema(request.getfixturevalue("postgres")))
