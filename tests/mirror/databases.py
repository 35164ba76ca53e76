"""The databases that a mirror can be, each with a way to look into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_cases.mirror.case_version import digest_of

KINDS = ("sqlite", "duckdb", "postgres")
REQUIRED = os.environ.get("PERSONA_CASES_REQUIRE_POSTGRES") == "1"


class Database:
    """One database, whatever its kind."""

    def __init__(self, kind: str, to: str) -> None:
        self.kind, self.to = kind, to

    def __repr__(self) -> str:
        return f"<Database {self.kind}>"

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self._connect()) as database:
            return database.execute(statement).fetchall()

    def run(self, statement: str) -> None:
        with contextlib.closing(self._connect()) as database:
            database.execute(statement)
            if self.kind == "sqlite":
                database.commit()

    def columns(self) -> set[str]:
        with contextlib.closing(self._connect()) as database:
            return {each[0] for each in database.execute("SELECT * FROM cases LIMIT 0").description}

    def digests(self) -> dict[str, str]:
        return {id: digest_of(raw.encode()) for id, raw in self.rows("SELECT id, raw FROM cases")}

    def content(self) -> bytes:
        """Everything at the path and beside it, and all rows of all tables, which may be compressed there."""
        rows = repr([self.rows(f"SELECT * FROM {name}") for name in self._tables()]).encode()
        path = Path(self.to)
        beside = [] if self.kind == "postgres" else sorted(path.parent.glob(f"*{path.name}*"))
        return rows + b"".join(each.read_bytes() for each in beside if each.is_file())

    def _tables(self) -> list[str]:
        listed = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            "duckdb": "SELECT table_name FROM duckdb_tables() ORDER BY table_name",
            "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
        }
        return [name for (name,) in self.rows(listed[self.kind])]

    def _connect(self) -> Any:
        if self.kind == "sqlite":
            return sqlite3.connect(self.to)
        if self.kind == "duckdb":
            import duckdb

            return duckdb.connect(self.to)
        import psycopg

        return psycopg.connect(self.to, autocommit=True)


def programs() -> Path | None:
    """Where the programs of PostgreSQL are."""
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    return None if found is None else Path(found).resolve().parent


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server of its own, and give back the URL of its database."""
    where = programs()
    if where is None:
        reason = "no PostgreSQL server is installed: apt-get install postgresql"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    # The server refuses to run as root.
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    home = Path(tempfile.mkdtemp(prefix="pg"))
    port = free_port()
    try:
        if user:
            shutil.chown(home, "postgres")
        how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "timeout": 120, "cwd": home, **user}
        made = ["initdb", "-D", home / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([where / made[0], *made[1:]], check=True, **how)
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [where / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **how)
        try:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **how)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def fresh_schema(server: str) -> str:
    """Make a schema, and give back the URL that has it as its search path."""
    import psycopg

    name = f"s{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as database:
        database.execute(f"CREATE SCHEMA {name}")
    return f"{server}?options=-csearch_path%3D{name}"
