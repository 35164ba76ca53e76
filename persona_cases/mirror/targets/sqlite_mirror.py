"""`SqliteMirror`: a mirror in a SQLite database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from persona_cases.export.columns.types import type_of
from persona_cases.export.formats.sqlite_cells import native_type, to_cells
from persona_cases.export.formats.sqlite_errors import guarded
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.mirror_protocol import MirrorSettings
from persona_cases.mirror.targets.mirror_lock import MirrorLock
from persona_cases.mirror.targets.sql_dialect import INDEXES, Dialect, Rows
from persona_cases.mirror.targets.sql_mirror import SqlMirror, has_no_table
from persona_cases.mirror.targets.sql_tables import SqlTables

__all__ = ["SECONDS_FOR_READERS", "SqliteMirror"]

# A rollback journal, because a write-ahead log would keep old values until it is overwritten.
_SETTINGS: Final = ("PRAGMA journal_mode = DELETE", "PRAGMA secure_delete = ON", "PRAGMA synchronous = FULL")
_INDEXES: Final = (*INDEXES, "CREATE INDEX fields_by_value ON fields (key, value)")
_guard = partial(guarded, "to: another program holds the database: close it, or sync again later")
SECONDS_FOR_READERS: Final = 60.0
"""How long a write waits for reading programs."""


class SqliteMirror(SqlMirror):
    """A mirror in a SQLite database; see `Mirror`.

    Deleted values are overwritten, and after a redaction the file is rewritten.

    Args:
        path: the database, which is created if it does not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._path = Path(os.fsdecode(path)).resolve()
        self._lock: MirrorLock | None = None
        self._database: _Database | None = None

    def begin(self, settings: MirrorSettings) -> Mark:
        """Lock the mirror for one sync; see `Mirror`."""
        self._lock = MirrorLock(self._path)
        with _guard():
            self._database = _Database(self._path)
            new = self._database.is_empty()
            for setting in _SETTINGS:
                self._database.execute(setting)
            self._tables = SqlTables(self._database, _dialect(self._database.most_columns))
            return self._tables.open(settings, new=new)

    def end(self) -> None:
        """Discard uncommitted changes, and unlock the mirror."""
        try:
            if self._tables is not None and self._database is not None:
                self._tables.roll_back()
                if self._tables.rewrite_due:
                    # Data that moved between pages may have left copies, which `secure_delete` does not overwrite.
                    with _guard():
                        self._database.execute("VACUUM")
                    self._tables.rewritten()
        finally:
            if self._database is not None:
                self._database.close()
            self._database = self._tables = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None


class _Database:
    def __init__(self, path: Path) -> None:
        # Each call comes from a different thread, one after another.
        self._connection = sqlite3.connect(
            path, timeout=SECONDS_FOR_READERS, isolation_level=None, check_same_thread=False
        )

    @property
    def most_columns(self) -> int:
        limits = (sqlite3.SQLITE_LIMIT_COLUMN, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        return min(map(self._connection.getlimit, limits)) - 1

    def is_empty(self) -> bool:
        """Return whether there are no tables yet.

        Raises:
            InvalidArgumentError: if there are tables, but not those of a mirror.
        """
        try:
            names = {name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            names = {""}
        return has_no_table(names)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        return self._connection.execute(statement, parameters).fetchall()

    def close(self) -> None:
        self._connection.close()


def _dialect(most_columns: int) -> Dialect:
    return Dialect(
        mark="?",
        native=native_type,
        cells=to_cells,
        field_cell=_field_cell,
        any_type="",
        key=" PRIMARY KEY NOT NULL",
        indexes=_INDEXES,
        begin="BEGIN IMMEDIATE",
        most_columns=most_columns,
        most_parameters=min(most_columns, 900),
        guard=_guard,
    )


def _field_cell(value: Any) -> Any:
    (cell,) = to_cells(type_of(value))([value])
    return cell
