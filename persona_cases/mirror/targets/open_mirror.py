"""Conversion of the argument `to` to a mirror."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Final, cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.mirror.mirror_protocol import Mirror

__all__ = ["mirror_at"]

_SQLITE: Final = frozenset({".db", ".sqlite", ".sqlite3"})
_DUCKDB: Final = ".duckdb"
_POSTGRES: Final = ("postgresql://", "postgres://")


def mirror_at(to: object) -> Mirror:
    """Return the mirror at a path or URL, or the object itself if it is a mirror. Nothing is opened yet.

    Raises:
        InvalidArgumentError: if it does not name a mirror.
    """
    if not isinstance(to, (str, os.PathLike)):
        if isinstance(to, Mirror):
            return to
        raise InvalidArgumentError(f"to must be the path of a database, or a Mirror, not {type(to).__name__}")
    path = os.fsdecode(cast("str | os.PathLike[str]", to))
    if path.startswith(_POSTGRES):
        from persona_cases.mirror.targets.postgres_mirror import PostgresMirror  # noqa: PLC0415 - needs an extra

        return PostgresMirror(path)
    if "://" in path:
        raise InvalidArgumentError(
            "to: a mirror is a database on this machine or in PostgreSQL: pass a path, or a URL postgresql://..."
        )
    suffix = PurePath(path).suffix.lower()
    if suffix in _SQLITE:
        from persona_cases.mirror.targets.sqlite_mirror import SqliteMirror  # noqa: PLC0415 - SQLite takes time to load

        return SqliteMirror(path)
    if suffix == _DUCKDB:
        from persona_cases.mirror.targets.duckdb_mirror import DuckdbMirror  # noqa: PLC0415 - needs an extra

        return DuckdbMirror(path)
    raise InvalidArgumentError(
        "to: the extension names no database: use .db, .sqlite, .sqlite3 or .duckdb, or a URL postgresql://..."
    )
