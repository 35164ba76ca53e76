"""`PostgresMirror`: a mirror in a schema of a PostgreSQL database."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Generator, Sequence
from typing import Any, Final

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.columns.types import ColumnKind
from persona_cases.export.formats.packages import required
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.mirror_protocol import MirrorSettings
from persona_cases.mirror.targets.sql_dialect import INDEXES, Dialect, Rows
from persona_cases.mirror.targets.sql_mirror import SqlMirror
from persona_cases.mirror.targets.sql_tables import TABLES, SqlTables
from persona_cases.mirror.targets.typed_cells import text_of, typed_cells, typed_native
from persona_cases.models.decoding.jsontext import is_array

__all__ = ["PostgresMirror"]

_NATIVE: Final = {
    ColumnKind.BOOLEAN: "BOOLEAN",
    ColumnKind.INTEGER: "BIGINT",
    ColumnKind.NUMBER: "DOUBLE PRECISION",
    ColumnKind.DATE: "DATE",
    ColumnKind.TIME: "TIMESTAMPTZ",
}
# Not by value, because PostgreSQL cannot index values of more than a third of a page.
_INDEXES: Final = (*INDEXES, "CREATE INDEX fields_by_key ON fields (key)")
# Not counting the raw JSON. All custom fields are also in a table of their own.
_MOST_COLUMNS: Final = 1000
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('persona_sync'), hashtext(current_schema()))"
_UNLOCK: Final = "SELECT pg_advisory_unlock_all()"


class PostgresMirror(SqlMirror):
    """A mirror in the first schema of the search path of a PostgreSQL database; see `Mirror`.

    After a redaction, the tables are vacuumed. Backups and the write-ahead log are the server's responsibility.

    Args:
        url: the URL, such as `postgresql://user@host/database`.

    Raises:
        InvalidArgumentError: if the package `psycopg` is not installed.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._psycopg = required("psycopg", "a PostgreSQL mirror needs psycopg", "postgres")
        self._url = url
        self._database: _Database | None = None

    def begin(self, settings: MirrorSettings) -> Mark:
        """Lock the mirror for one sync; see `Mirror`."""
        with self._guard():
            self._database = _Database(self._psycopg.connect(self._url, autocommit=True))
            new = self._database.take()
        self._tables = SqlTables(self._database, self._dialect())
        return self._tables.open(settings, new=new)

    def end(self) -> None:
        """Discard uncommitted changes, and unlock the mirror."""
        try:
            if self._tables is not None and self._database is not None and self._database.is_open:
                self._tables.roll_back()
                if self._tables.rewrite_due:
                    with self._guard():
                        self._database.vacuum()
                    self._tables.rewritten()
        finally:
            if self._database is not None:
                with self._guard():
                    self._database.close()
            self._database = self._tables = None

    @contextlib.contextmanager
    def _guard(self) -> Generator[None]:
        """Convert psycopg's errors to ours, which quote no data."""
        try:
            yield
        except self._psycopg.Error as error:
            state = error.sqlstate
        else:
            return
        why = "cannot reach the PostgreSQL server" if state is None else f"the PostgreSQL server failed ({state})"
        raise OSError(errno.EIO, why)

    def _dialect(self) -> Dialect:
        return Dialect(
            mark="%s",
            native=typed_native(_NATIVE, "[]"),
            cells=typed_cells,
            field_cell=text_of,
            any_type="TEXT",
            key=" PRIMARY KEY NOT NULL",
            indexes=_INDEXES,
            begin="BEGIN",
            most_columns=_MOST_COLUMNS,
            most_parameters=10_000,
            guard=self._guard,
        )


class _Database:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def is_open(self) -> bool:
        return not self._connection.broken and not self._connection.closed

    def take(self) -> bool:
        """Lock the schema, and return whether it is still without a mirror.

        Raises:
            ClientStateError: if another sync has locked it.
            InvalidArgumentError: if there are tables of these names, but not those of a mirror.
        """
        if not self.execute(_LOCK)[0][0]:
            raise ClientStateError("to: another sync of this mirror is running: wait for it to end")
        there = self._tables()
        if there and "persona_sync" not in there:
            raise InvalidArgumentError("to: the schema has other tables of these names: use another schema or database")
        return not there

    def vacuum(self) -> None:
        """Vacuum only the tables of the mirror."""
        self.execute(f"VACUUM {', '.join(sorted(self._tables()))}")

    def _tables(self) -> frozenset[str]:
        listed = self.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        return TABLES & {name for (name,) in listed}

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, list(map(_storable, parameters)))
            return [] if cursor.description is None else list(cursor.fetchall())

    def close(self) -> None:
        """Unlock the schema, and close the connection."""
        try:
            if self.is_open:
                # The server would notice a closed connection some time later, when the next sync may have begun.
                self.execute(_UNLOCK)
        finally:
            self._connection.close()


def _storable(value: Any) -> Any:
    """Return a value without NUL, which PostgreSQL cannot store in text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return list(map(_storable, value)) if is_array(value) else value
