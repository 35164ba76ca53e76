"""SQLite: a database with tables of cases, custom fields and related objects."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from itertools import chain, compress, count
from operator import itemgetter
from typing import Any, Final

from persona_cases.export.columns.batch import Batch, FieldColumn
from persona_cases.export.columns.cells import json_text
from persona_cases.export.columns.plain_batch import PlainBatch, plain_batch
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.columns.types import JSON, type_of
from persona_cases.export.formats.sqlite_cells import native_type, quoted, to_cells
from persona_cases.export.formats.sqlite_errors import os_error
from persona_cases.export.provenance import PROVENANCE, Provenance
from persona_cases.export.sinks import AtomicFile

__all__ = ["SqliteForm", "SqliteSink"]

_RAW: Final = "raw"
_INDEXED: Final = ("created_at", "status")

# The temporary file is thrown away if anything goes wrong, so that neither a journal nor a sync is of use.
# With pages of 4096 bytes, which are usual, each would hold one case, and a third of it nothing.
_SETTINGS: Final = (
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -65536",
    "BEGIN",
)
_TABLES: Final = (
    f"CREATE TABLE {PROVENANCE} (name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID",
    """CREATE TABLE fields (
        case_id TEXT NOT NULL, key TEXT NOT NULL, type TEXT, value,
        PRIMARY KEY (case_id, key)
    ) WITHOUT ROWID""",
    """CREATE TABLE relationships (
        case_id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (case_id, name, type, id)
    ) WITHOUT ROWID""",
)
_INDEXES: Final = (
    "CREATE INDEX fields_by_value ON fields (key, value)",
    "CREATE INDEX relationships_by_id ON relationships (id)",
)


class SqliteForm:
    """Stores cells, raw cases, custom fields and related objects; see `StoredForm`."""

    def stored(self, batch: Batch) -> PlainBatch:
        """Return what to store."""
        raw = [line.decode() for line in batch.lines]
        return plain_batch(batch, (raw, _fields(batch), _relationships(batch)))

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
        kept = _distinct(columns[: self._most_columns()])
        self._names = [each.title for each in kept]
        self._columns = [each.column for each in kept]
        try:
            self._create(kept)
        except BaseException:
            self._database.close()
            raise

    def write(self, batch: PlainBatch) -> None:
        """Insert rows."""
        marks = ", ".join("?" * (len(self._columns) + 1))
        insert = f"INSERT INTO cases VALUES ({marks})"  # noqa: S608 - question marks alone
        raw, fields, relationships = batch.more
        columns = [batch.cells(column, to_cells) for column in self._columns]
        with _as_os_errors(), contextlib.closing(self._database.cursor()) as cursor:
            new = self._new(cursor, columns[0])
            cursor.executemany(insert, compress(zip(*columns, raw, strict=True), new))
            cursor.executemany("INSERT INTO fields VALUES (?, ?, ?, ?)", _of_new(fields, new))
            cursor.executemany("INSERT OR IGNORE INTO relationships VALUES (?, ?, ?, ?)", _of_new(relationships, new))

    def _new(self, cursor: sqlite3.Cursor, ids: Sequence[str]) -> list[bool]:
        """Return which cases are the first with their id."""
        there = {id for id in ids if cursor.execute("SELECT 1 FROM cases WHERE id = ?", (id,)).fetchone()}
        new: list[bool] = []
        for id in ids:
            new.append(id not in there)
            there.add(id)
        return new

    def commit(self) -> None:
        """Create the indexes, and complete the file."""
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
        (cases,) = self._database.execute("SELECT count(*) FROM cases").fetchone()
        # Texts as they are, so that no JSON is needed to read them.
        told = {
            name: value if value is None or isinstance(value, str) else json_text(value)
            for name, value in self._made_by.items()
        }
        self._database.executemany(f"INSERT INTO {PROVENANCE} VALUES (?, ?)", {**told, "cases": cases}.items())  # noqa: S608 - our name

    def _create(self, kept: Sequence[TitledColumn]) -> None:
        defined = [f"{quoted(each.title)} {native_type(each.column.type)}" for each in kept]
        defined[0] += " PRIMARY KEY NOT NULL"
        cases = f"CREATE TABLE cases ({', '.join(defined)}, {_RAW} TEXT NOT NULL)"
        with _as_os_errors():
            for statement in (*_SETTINGS, cases, *_TABLES):
                self._database.execute(statement)

    def _most_columns(self) -> int:
        """Return how many columns fit beside the raw JSON. The table `fields` has all custom fields anyway."""
        limits = (sqlite3.SQLITE_LIMIT_COLUMN, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        return min(map(self._database.getlimit, limits)) - 1


def _distinct(columns: Sequence[TitledColumn]) -> list[TitledColumn]:
    """Return columns whose names SQLite can distinguish, unlike `fields.Risk` and `fields.risk`."""
    taken, named = {_RAW}, list[TitledColumn]()
    for each in columns:
        # SQL cannot quote a NUL.
        plain = each.title.replace("\0", "\ufffd")
        titles = chain([plain], (f"{plain} ({number})" for number in count(2)))
        title = next(title for title in titles if title.lower() not in taken)
        taken.add(title.lower())
        named.append(TitledColumn(title, each.column))
    return named


def _fields(batch: Batch) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Return the rows of the table `fields`, and which case each is of."""
    ids, rows = batch.ids, list[tuple[int, str, tuple[Any, ...]]]()
    for key, field in batch.fields.items():
        words, cells = field.words, _as_sent(field)
        rows += [(number, key, (ids[number], key, words[number], cells[number])) for number in field.numbers]
    # Those of a case lie side by side in the table.
    rows.sort(key=itemgetter(0, 1))
    return [row for _, _, row in rows], [number for number, _, _ in rows]


def _as_sent(field: FieldColumn) -> Sequence[Any]:
    """Return values as the table `fields` has them: each by its own type, whatever that of the column is."""
    if not field.type.many and field.type != JSON:
        return field.values
    return [None if value is None else to_cells(type_of(value))([value])[0] for value in field.values]


def _relationships(batch: Batch) -> tuple[list[tuple[str, ...]], list[int]]:
    rows, numbers = list[tuple[str, ...]](), list[int]()
    for number, (case_id, related) in enumerate(zip(batch.ids, batch.related(), strict=True)):
        mine = [(case_id, name, each.type, each.id) for name, several in related.items() for each in several]
        rows += mine
        numbers += [number] * len(mine)
    return rows, numbers


def _of_new(rows: tuple[list[Any], list[int]], new: Sequence[bool]) -> Iterable[Any]:
    """Return the rows of the cases that are new."""
    return rows[0] if all(new) else compress(rows[0], (new[number] for number in rows[1]))


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
