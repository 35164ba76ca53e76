"""SQLite: a database with tables of cases, custom fields and related objects."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Sequence
from itertools import chain, compress, count
from typing import Any, Final

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.cells import json_text
from persona_cases.export.columns.column import RAW
from persona_cases.export.columns.plain_batch import PlainBatch, plain_batch
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats.side_rows import WIDTH, field_cells, relationship_cells, values_by_case
from persona_cases.export.formats.sqlite_cells import native_type, quoted, to_cells
from persona_cases.export.formats.sqlite_errors import os_error
from persona_cases.export.provenance import PROVENANCE, Provenance
from persona_cases.export.sinks import AtomicFile

__all__ = ["SqliteForm", "SqliteSink"]

# The same number whatever cases come together, so that the same cases make the same file.
_CASES_AT_ONCE: Final = 100
# A statement that inserts several rows takes two thirds of the time of as many statements.
_ROWS_AT_ONCE: Final = 50
_INDEXED: Final = ("created_at", "status")

# The temporary file is thrown away if anything goes wrong, so that neither a journal nor a sync is of use.
# In pages of 4096 bytes, which are usual, cases with `raw` would leave a third of each empty.
_SETTINGS: Final = (
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -65536",
    "BEGIN",
)
_TABLES: Final = (
    f"CREATE TABLE {PROVENANCE} (name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID",
    "CREATE TABLE fields (case_id TEXT NOT NULL, key TEXT NOT NULL, type TEXT, value)",
    "CREATE TABLE relationships (case_id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL)",
)
# Sorted once all rows are there. A primary key would sort each row into its place: ids are in no order.
_INDEXES: Final = (
    "CREATE INDEX fields_by_case ON fields (case_id)",
    "CREATE INDEX fields_by_value ON fields (key, value)",
    "CREATE INDEX relationships_by_case ON relationships (case_id)",
    "CREATE INDEX relationships_by_id ON relationships (id)",
)


class SqliteForm:
    """Stores cells, and the rows of custom fields and related objects; see `StoredForm`."""

    def stored(self, batch: Batch) -> PlainBatch:
        """Return what to store."""
        return plain_batch(batch, (field_cells(batch), relationship_cells(batch)), lists=False)

    def restored(self, stored: PlainBatch) -> PlainBatch:
        """Return what was stored."""
        return stored


class SqliteSink:
    """Writes cases into a new database; see `TableSink`. Of two cases with one id, the first counts.

    Args:
        file: the file.
        columns: the columns of the table `cases`.
        provenance: how the file is made, for the table `persona_export`.
    """

    def __init__(self, file: AtomicFile, columns: Sequence[TitledColumn], provenance: Provenance | None = None) -> None:
        self._file = file
        self._made_by = {} if provenance is None else provenance.to_dict()
        with _as_os_errors():
            # Each call comes from a thread of its own, one after the other.
            self._database = sqlite3.connect(file.part, isolation_level=None, check_same_thread=False)
        kept = _distinct(self._fitting(columns))
        self._cases = 0
        self._waiting: list[tuple[Any, ...]] = []
        self._names = [each.title for each in kept]
        self._columns = [each.column for each in kept]
        try:
            self._create(kept)
        except BaseException:
            self._database.close()
            raise

    def write(self, batch: PlainBatch) -> None:
        """Take cases, and insert them some at a time."""
        columns = [batch.cells(column, to_cells) for column in self._columns]
        sides = [values_by_case(columns[0], cells) for cells in batch.more]
        self._waiting += zip(zip(*columns, strict=True), *sides, strict=True)
        while len(self._waiting) >= _CASES_AT_ONCE:
            self._insert(self._waiting[:_CASES_AT_ONCE])
            del self._waiting[:_CASES_AT_ONCE]

    def _insert(self, cases: Sequence[tuple[Any, ...]]) -> None:
        rows, *sides = zip(*cases, strict=True)
        with _as_os_errors(), contextlib.closing(self._database.cursor()) as cursor:
            new = self._insert_cases(cursor, rows)
            for table, of_cases in zip(("fields", "relationships"), sides, strict=True):
                _insert_values(cursor, table, [*chain.from_iterable(compress(of_cases, new))])

    def _insert_cases(self, cursor: sqlite3.Cursor, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Insert the cases that are not there yet, and return which these are."""
        marks = ", ".join("?" * len(self._columns))
        before, changes = self._cases, self._database.total_changes
        cursor.executemany(f"INSERT OR IGNORE INTO cases VALUES ({marks})", rows)  # noqa: S608 - question marks alone
        self._cases += self._database.total_changes - changes
        if self._cases - before == len(rows):
            return [True] * len(rows)
        added = {id for (id,) in cursor.execute("SELECT id FROM cases WHERE rowid > ?", (before,))}
        new: list[bool] = []
        for id, *_ in rows:
            new.append(id in added)
            added.discard(id)
        return new

    def commit(self) -> None:
        """Create the indexes, and complete the file."""
        if self._waiting:
            self._insert(self._waiting)
        with _as_os_errors():
            indexed = [name for name in _INDEXED if name in self._names]
            for statement in (*(f"CREATE INDEX cases_by_{name} ON cases ({name})" for name in indexed), *_INDEXES):
                self._database.execute(statement)
            self._tell_origin()
            self._database.execute("COMMIT")
            self._database.close()
        self._file.commit()

    def discard(self) -> None:
        """Drop the file."""
        self._database.close()
        self._file.discard()

    def _tell_origin(self) -> None:
        # Texts as they are, so that no JSON is needed to read them.
        told = {
            name: value if value is None or isinstance(value, str) else json_text(value)
            for name, value in self._made_by.items()
        }
        self._database.executemany(f"INSERT INTO {PROVENANCE} VALUES (?, ?)", {**told, "cases": self._cases}.items())  # noqa: S608 - our name

    def _create(self, kept: Sequence[TitledColumn]) -> None:
        defined = [f"{quoted(each.title)} {native_type(each.column.type)}" for each in kept]
        defined[0] += " PRIMARY KEY NOT NULL"
        cases = f"CREATE TABLE cases ({', '.join(defined)})"
        with _as_os_errors():
            for statement in (*_SETTINGS, cases, *_TABLES):
                self._database.execute(statement)

    def _fitting(self, columns: Sequence[TitledColumn]) -> list[TitledColumn]:
        """Return as many columns as fit. The table `fields` has all custom fields anyway."""
        limits = (sqlite3.SQLITE_LIMIT_COLUMN, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        raw = [each for each in columns if each.column.name == RAW]
        others = [each for each in columns if each.column.name != RAW]
        return [*others[: min(map(self._database.getlimit, limits)) - len(raw)], *raw]


def _distinct(columns: Sequence[TitledColumn]) -> list[TitledColumn]:
    """Return columns whose names SQLite can distinguish, unlike `fields.Risk` and `fields.risk`."""
    taken, named = set[str](), list[TitledColumn]()
    for each in columns:
        # SQL cannot quote a NUL.
        plain = each.title.replace("\0", "\ufffd")
        titles = chain([plain], (f"{plain} ({number})" for number in count(2)))
        title = next(title for title in titles if title.lower() not in taken)
        taken.add(title.lower())
        named.append(TitledColumn(title, each.column))
    return named


def _insert_values(cursor: sqlite3.Cursor, table: str, values: Sequence[Any]) -> None:
    """Insert rows, given by all their values one after the other."""
    whole = len(values) - len(values) % (WIDTH * _ROWS_AT_ONCE)
    row = f"({', '.join('?' * WIDTH)})"
    for size, part in ((_ROWS_AT_ONCE, values[:whole]), (1, values[whole:])):
        statement = f"INSERT INTO {table} VALUES {', '.join([row] * size)}"  # noqa: S608 - our names
        cursor.executemany(statement, zip(*[iter(part)] * (WIDTH * size), strict=True))


@contextlib.contextmanager
def _as_os_errors() -> Generator[None]:
    """Raise the same error for a full disk as the other formats."""
    try:
        yield
    except sqlite3.OperationalError as error:
        failure = os_error(error)
    else:
        return
    raise failure
