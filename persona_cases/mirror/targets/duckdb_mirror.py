"""`DuckdbMirror`: a mirror in a DuckDB database."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.columns.types import ColumnKind
from persona_cases.export.formats.packages import required
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.mirror_protocol import MirrorSettings
from persona_cases.mirror.targets.mirror_lock import MirrorLock
from persona_cases.mirror.targets.sql_dialect import Dialect, Rows
from persona_cases.mirror.targets.sql_mirror import NOT_A_MIRROR, SqlMirror, has_no_table
from persona_cases.mirror.targets.sql_tables import REWRITE, SqlTables
from persona_cases.mirror.targets.typed_cells import text_of, typed_cells, typed_native

__all__ = ["DuckdbMirror"]

_MAGIC: Final = b"DUCK"
_MAGIC_AT: Final = 8
_NATIVE: Final = {
    ColumnKind.BOOLEAN: "BOOLEAN",
    ColumnKind.INTEGER: "BIGINT",
    ColumnKind.NUMBER: "DOUBLE",
    ColumnKind.DATE: "DATE",
    ColumnKind.TIME: "TIMESTAMPTZ",
}


class DuckdbMirror(SqlMirror):
    """A mirror in a DuckDB database; see `Mirror`.

    DuckDB does not overwrite deleted data. So after a redaction, the file is rewritten without it.

    Args:
        path: the database, which is created if it does not exist.

    Raises:
        InvalidArgumentError: if the package `duckdb` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._duckdb = required("duckdb", "a DuckDB mirror needs duckdb", "duckdb")
        self._path = Path(os.fsdecode(path)).resolve()
        self._lock: MirrorLock | None = None
        self._database: _Database | None = None

    def begin(self, settings: MirrorSettings) -> Mark:
        """Lock the mirror for one sync; see `Mirror`."""
        self._lock = MirrorLock(self._path)
        # A killed sync may have left it.
        self._draft.unlink(missing_ok=True)
        new = not self._path.exists() or not self._path.stat().st_size
        if not new:
            _check_file(self._path)
        with self._guard():
            self._database = _Database(self._duckdb, self._path)
            new = self._database.is_empty()
            self._tables = SqlTables(self._database, self._dialect())
            mark = self._tables.open(settings, new=new)
        if self._tables.rewrite_due:
            # The last sync ended before it could do this.
            self._rewrite()
            with self._guard():
                self._database = _Database(self._duckdb, self._path)
                self._tables = SqlTables(self._database, self._dialect())
                return self._tables.open(settings, new=False)
        return mark

    def end(self) -> None:
        """Discard uncommitted changes, and unlock the mirror."""
        try:
            if self._tables is not None and self._database is not None:
                self._tables.roll_back()
                if self._tables.rewrite_due:
                    self._rewrite()
                else:
                    self._database.close()
            elif self._database is not None:
                self._database.close()
        finally:
            self._database = self._tables = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _rewrite(self) -> None:
        """Rewrite the file, so that no deleted data is left in it."""
        if self._database is None:
            return
        with self._guard():
            self._database.execute("CHECKPOINT")
            self._database.close()
        draft = self._draft
        draft.unlink(missing_ok=True)
        with self._guard():
            copier = self._duckdb.connect()
            try:
                for path, name, how in ((self._path, "old", " (READ_ONLY)"), (draft, "new", "")):
                    quoted = str(path).replace("'", "''")
                    copier.execute(f"ATTACH '{quoted}' AS {name}{how}")
                copier.execute("COPY FROM DATABASE old TO new")
                copier.execute(f"DELETE FROM new.persona_sync WHERE name = '{REWRITE}'")  # noqa: S608 - our name
            finally:
                copier.close()
        draft.replace(self._path)

    @property
    def _draft(self) -> Path:
        return self._path.with_name(f".{self._path.name}.rewrite")

    @contextlib.contextmanager
    def _guard(self) -> Generator[None]:
        """Convert DuckDB's errors to ours, which quote no data."""
        try:
            yield
        except self._duckdb.Error as error:
            is_held = isinstance(error, self._duckdb.IOException) and "lock" in str(error)
        else:
            return
        if is_held:
            raise ClientStateError("to: another program holds the database: close it, or sync again later")
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _dialect(self) -> Dialect:
        return Dialect(
            mark="?",
            native=typed_native(_NATIVE, "[]"),
            cells=typed_cells,
            field_cell=text_of,
            any_type="TEXT",
            key="",
            indexes=(),
            begin="BEGIN TRANSACTION",
            most_columns=2000,
            most_parameters=2000,
            by_columns=True,
            guard=self._guard,
        )


class _Database:
    def __init__(self, duckdb: Any, path: Path) -> None:
        self._connection = duckdb.connect(str(path))

    def is_empty(self) -> bool:
        """Return whether there are no tables yet.

        Raises:
            InvalidArgumentError: if there are tables, but not those of a mirror.
        """
        return has_no_table(name for (name,) in self.execute("SELECT table_name FROM information_schema.tables"))

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        done = self._connection.execute(statement, list(parameters))
        return [] if done.description is None else list(done.fetchall())

    def close(self) -> None:
        self._connection.close()


def _check_file(path: Path) -> None:
    """Check the file before DuckDB opens it, because DuckDB reads other formats too.

    Raises:
        InvalidArgumentError: if it is not a DuckDB database.
    """
    with path.open("rb") as file:
        head = file.read(_MAGIC_AT + len(_MAGIC))
    if head[_MAGIC_AT:] != _MAGIC:
        raise InvalidArgumentError(NOT_A_MIRROR)
