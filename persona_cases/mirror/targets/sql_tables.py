"""The tables of a mirror, in any database that understands SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.batch import Batch, BatchReader
from persona_cases.export.columns.cells import timestamp
from persona_cases.export.columns.column import RAW
from persona_cases.export.formats.side_rows import relationship_rows
from persona_cases.mirror.case_version import CaseVersion
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.mirror_protocol import Forget, MirrorSettings, Put, Remember, RowChange, SetAside
from persona_cases.mirror.targets.known_columns import ColumnChange, KnownColumn, KnownColumns
from persona_cases.mirror.targets.sql_dialect import Connection, Dialect, Rows
from persona_cases.models.decoding.raw_page import time_of

__all__ = ["REWRITE", "TABLES", "SqlTables"]

TABLES: Final = frozenset(
    {"cases", "fields", "relationships", "history", "rejected", "persona_sync", "persona_columns", "persona_versions"}
)
"""The names of all tables."""

_LAYOUT: Final = "1"
_VERSION_COLUMNS: Final = "id, created_at, updated_at, redacted, gone, had_rows, set_aside, indexed, fresh"
_ROWS_A_REBUILD: Final = 500
REWRITE: Final = "rewrite"
"""The row of `persona_sync` that records that erased values may still be in the file."""


class SqlTables:
    """Reads and writes the tables of a mirror.

    Args:
        connection: the database.
        dialect: its dialect.
    """

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect
        self._columns = KnownColumns((), dialect.most_columns)
        self._in_transaction = False
        self._history = False
        self._erased = False
        self.rewrite_due: bool = False
        """Whether values were erased that may still be in the file."""

    # ---- the beginning and the end of a sync ---------------------------------------------------------------------

    def open(self, settings: MirrorSettings, *, new: bool) -> Mark:
        """Create the tables if there are none, and return the mark.

        Raises:
            InvalidArgumentError: if the mirror has other settings.
        """
        self._history = settings.history
        with self._dialect.guard():
            if new:
                self._create(settings)
                return Mark()
            settled = self._run("SELECT name, value FROM persona_sync")
            stored = dict[str, Any]((name, value) for name, value in settled)
            self._check(stored, settings)
            self.rewrite_due = REWRITE in stored
            rows = self._run("SELECT source, name, seen, declared FROM persona_columns ORDER BY place")
            self._columns = KnownColumns((KnownColumn.read(*row) for row in rows), self._dialect.most_columns)
            return Mark() if "mark" not in stored else Mark.from_dict(msgspec.json.decode(stored["mark"]))

    def commit(self, mark: Mark) -> None:
        """Commit the applied changes together with the mark."""
        with self._dialect.guard():
            self._begin()
            if mark.walk is None and mark.sweep is None:
                self._drop_old_memories(mark)
            told = None if mark.watermark is None else timestamp(time_of(mark.watermark))
            self._set("mark", msgspec.json.encode(mark.to_dict()).decode())
            self._set("watermark", told)
            if self._erased and not self.rewrite_due:
                self._set(REWRITE, "due")
            self._run("COMMIT")
            self.rewrite_due, self._erased = self.rewrite_due or self._erased, False
            self._in_transaction = False

    def rewritten(self) -> None:
        """Record that no erased data is left in the file."""
        with self._dialect.guard():
            self._delete_from("persona_sync", "name", [REWRITE])
        self.rewrite_due = False

    def roll_back(self) -> None:
        """Discard uncommitted changes."""
        if self._in_transaction:
            self._in_transaction = False
            with self._dialect.guard():
                self._run("ROLLBACK")

    # ---- reads ---------------------------------------------------------------------------------------------------

    def known(self, ids: Sequence[str]) -> dict[str, CaseVersion]:
        """Return the remembered versions of these cases."""
        found = dict[str, CaseVersion]()
        with self._dialect.guard():
            for part in _parts(ids, self._dialect.most_parameters):
                marks = self._dialect.marks(len(part))
                select = f"SELECT {_VERSION_COLUMNS} FROM persona_versions WHERE id IN {marks}"  # noqa: S608 - question marks alone
                found |= _versions(self._run(select, part))
        return found

    def between(self, low: int | None, high: int | None) -> dict[str, CaseVersion]:
        """Return the versions of the cases that have rows and were created in `[low, high)`."""
        bounds = [(text, bound) for text, bound in ((">=", low), ("<", high)) if bound is not None]
        where = "".join(f" AND created_at {text} {self._dialect.mark}" for text, _ in bounds)
        statement = f"SELECT {_VERSION_COLUMNS} FROM persona_versions WHERE gone = 0{where}"  # noqa: S608 - question marks alone
        with self._dialect.guard():
            return _versions(self._run(statement, [bound for _, bound in bounds]))

    # ---- changes -------------------------------------------------------------------------------------------------

    def apply(self, changes: Sequence[RowChange]) -> None:
        """Change rows, without committing."""
        if not changes:
            return
        puts = [change for change in changes if isinstance(change, Put)]
        forgotten = [change for change in changes if isinstance(change, Forget)]
        aside = [change for change in changes if isinstance(change, SetAside)]
        batch = BatchReader().read(put.line for put in puts)
        with self._dialect.guard():
            self._begin()
            self._adapt(self._columns.learn(batch))
            self._delete([change.id for change in changes if not isinstance(change, Remember)])
            self._insert_cases(batch)
            self._insert("rejected", [(each.id, each.reason, _text(each.line)) for each in aside])
            remembered = [(change.id, change.version) for change in changes if change.version is not None]
            self._delete_from("persona_versions", "id", [change.id for change in changes])
            self._insert("persona_versions", [_version_row(id, version) for id, version in remembered])
            if self._history:
                self._keep_history(puts, forgotten, aside)
            self._erased = self._erased or any(map(_erases, changes))

    def rejected(self) -> int:
        """Return how many cases are set aside."""
        with self._dialect.guard():
            ((number,),) = self._run("SELECT count(*) FROM rejected")
        return int(number)

    def _keep_history(self, puts: Sequence[Put], forgotten: Sequence[Forget], aside: Sequence[SetAside]) -> None:
        erased = [put.id for put in puts if put.version.redacted]
        erased += [each.id for each in forgotten if each.erase] + [each.id for each in aside if each.erase]
        for part in _parts(erased, self._dialect.most_parameters):
            marks = self._dialect.marks(len(part))
            self._run(f"UPDATE history SET {RAW} = NULL WHERE case_id IN {marks} AND {RAW} IS NOT NULL", part)  # noqa: S608 - our names
        rows: list[tuple[Any, ...]] = [(put.id, _time(put.version), put.change, put.line.decode()) for put in puts]
        rows += [(each.id, _time(each.version), "set aside", _text(each.line)) for each in aside]
        rows += [
            (each.id, _time(each.version), "departed", None)
            for each in forgotten
            if each.departed and each.version is not None
        ]
        self._insert("history", rows)

    def _insert_cases(self, batch: Batch) -> None:
        columns = list(self._columns)
        cells = [self._dialect.cells(column.type)(batch.column(column.source)) for column in columns]
        names = ", ".join([*(self._dialect.name(column.name) for column in columns), RAW])
        rows = list(zip(*cells, (line.decode() for line in batch.lines), strict=True))
        self._insert("cases", rows, names)
        self._insert("fields", _field_rows(batch, self._dialect))
        self._insert("relationships", list(dict.fromkeys(relationship_rows(batch))))

    def _delete(self, ids: Sequence[str]) -> None:
        self._delete_from("cases", "id", ids)
        self._delete_from("fields", "case_id", ids)
        self._delete_from("relationships", "case_id", ids)
        self._delete_from("rejected", "case_id", ids)

    def _delete_from(self, table: str, column: str, ids: Sequence[str]) -> None:
        for part in _parts(ids, self._dialect.most_parameters):
            self._run(f"DELETE FROM {table} WHERE {column} IN {self._dialect.marks(len(part))}", part)  # noqa: S608 - our names

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]], names: str | None = None) -> None:
        if not rows:
            return
        into = table if names is None else f"{table} ({names})"
        if self._dialect.by_columns:
            columns = ", ".join(["unnest(?)"] * len(rows[0]))
            self._run(f"INSERT INTO {into} SELECT {columns}", list(map(list, zip(*rows, strict=True))))
            return
        one = self._dialect.marks(len(rows[0]))
        for part in _parts(rows, max(1, self._dialect.most_parameters // len(rows[0]))):
            values = ", ".join([one] * len(part))
            self._run(f"INSERT INTO {into} VALUES {values}", [cell for row in part for cell in row])  # noqa: S608 - our names

    def _drop_old_memories(self, mark: Mark) -> None:
        """Forget cases without rows or leftovers whose old state no search after the mark can show."""
        if mark.watermark is None:
            return
        oldest = mark.watermark - mark.overlap
        departed = "gone = 1 AND had_rows = 0 AND set_aside = 0"
        statement = f"DELETE FROM persona_versions WHERE {departed} AND updated_at < {self._dialect.mark}"  # noqa: S608 - our names
        self._run(statement, [oldest])

    # ---- the layout ----------------------------------------------------------------------------------------------

    def _create(self, settings: MirrorSettings) -> None:
        self._begin()
        for statement in self._definitions():
            self._run(statement)
        for name, value in _stored(settings).items():
            self._set(name, value)
        self._store_columns()
        self._run("COMMIT")
        self._in_transaction = False

    def _definitions(self) -> Iterator[str]:
        key, native = self._dialect.key, self._dialect.native
        columns = [f"{self._dialect.name(column.name)} {native(column.type)}" for column in self._columns]
        columns[0] += key
        yield f"CREATE TABLE cases ({', '.join(columns)}, {RAW} TEXT NOT NULL)"
        values = self._dialect.any_type
        yield f"CREATE TABLE fields (case_id TEXT NOT NULL, key TEXT NOT NULL, type TEXT, value {values})"
        related = ", ".join(f"{name} TEXT NOT NULL" for name in ("case_id", "name", "type", "id"))
        yield f"CREATE TABLE relationships ({related})"
        yield f"CREATE TABLE rejected (case_id TEXT{key}, reason TEXT, {RAW} TEXT)"
        yield f"CREATE TABLE persona_sync (name TEXT{key}, value TEXT)"
        yield f"CREATE TABLE persona_columns (place BIGINT, source TEXT{key}, name TEXT, seen TEXT, declared TEXT)"
        flags = ", ".join(f"{name} INTEGER" for name in ("redacted", "gone", "had_rows", "set_aside"))
        times = "created_at BIGINT, updated_at BIGINT"
        yield f"CREATE TABLE persona_versions (id TEXT{key}, {times}, {flags}, indexed TEXT, fresh TEXT)"
        yield from self._dialect.indexes
        if self._history:
            yield f"CREATE TABLE history (case_id TEXT NOT NULL, updated_at TEXT, change TEXT, {RAW} TEXT)"
            if self._dialect.indexes:
                yield "CREATE INDEX history_by_case ON history (case_id)"

    def _adapt(self, changes: Sequence[ColumnChange]) -> None:
        for change in changes:
            name, after, before = self._dialect.name(change.column.name), change.column.type, change.before
            if before is None:
                self._run(f"ALTER TABLE cases ADD COLUMN {name} {self._dialect.native(after)}")
            elif before.type != after:
                self._change_type(change.column, before)
        if changes:
            self._store_columns()

    def _change_type(self, column: KnownColumn, before: KnownColumn) -> None:
        name = self._dialect.name(column.name)
        if self._dialect.native(before.type) != self._dialect.native(column.type):
            self._run(f"ALTER TABLE cases DROP COLUMN {name}")
            self._run(f"ALTER TABLE cases ADD COLUMN {name} {self._dialect.native(column.type)}")
        mark, reader = self._dialect.mark, BatchReader()
        for rows in self._all_cases():
            batch = reader.read(raw.encode() for _, raw in rows)
            cells = self._dialect.cells(column.type)(batch.column(column.source))
            for id, cell in zip(batch.ids, cells, strict=True):
                if cell is not None:
                    self._run(f"UPDATE cases SET {name} = {mark} WHERE id = {mark}", (cell, id))  # noqa: S608 - a quoted name

    def _all_cases(self) -> Iterator[Rows]:
        last, mark = "", self._dialect.mark
        statement = f"SELECT id, {RAW} FROM cases WHERE id > {mark} ORDER BY id LIMIT {_ROWS_A_REBUILD}"  # noqa: S608 - our names
        while rows := self._run(statement, (last,)):
            yield rows
            last = rows[-1][0]

    def _store_columns(self) -> None:
        self._run("DELETE FROM persona_columns")
        self._insert("persona_columns", [(place, *column.stored) for place, column in enumerate(self._columns)])

    def _check(self, stored: Mapping[str, Any], settings: MirrorSettings) -> None:
        for name, value in _stored(settings).items():
            if stored.get(name) != value:
                raise InvalidArgumentError(f"to: {_REFUSALS[name]}")

    # ---- statements ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._in_transaction:
            self._run(self._dialect.begin)
            self._in_transaction = True

    def _set(self, name: str, value: str | None) -> None:
        self._delete_from("persona_sync", "name", [name])
        self._insert("persona_sync", [(name, value)])

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        return self._connection.execute(statement, parameters)


_REFUSALS: Final = {
    "layout": "another version of this library made this mirror: make a new one at another path",
    "where": "this mirror was made with another query: pass the same where, or another path",
    "history": "this mirror was made with another value of history: pass the same, or another path",
}


def _stored(settings: MirrorSettings) -> dict[str, str | None]:
    return {
        "layout": _LAYOUT,
        "where": settings.where,
        "history": "yes" if settings.history else "no",
    }


def _parts(items: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]


def _versions(rows: Rows) -> dict[str, CaseVersion]:
    return {
        id: CaseVersion(
            created_at=created_at,
            updated_at=updated_at,
            redacted=bool(redacted),
            gone=bool(gone),
            had_rows=bool(had_rows),
            set_aside=bool(set_aside),
            indexed=indexed,
            fresh=fresh,
        )
        for id, created_at, updated_at, redacted, gone, had_rows, set_aside, indexed, fresh in rows
    }


def _version_row(id: str, version: CaseVersion) -> tuple[Any, ...]:
    flags = int(version.redacted), int(version.gone), int(version.had_rows), int(version.set_aside)
    return id, version.created_at, version.updated_at, *flags, version.indexed, version.fresh


def _text(line: bytes) -> str:
    """Return a case as text, even if it is not UTF-8."""
    return line.decode(errors="replace")


def _erases(change: RowChange) -> bool:
    """Return whether values that this or an earlier change deletes must not stay in the file."""
    match change:
        case Put():
            return change.change == "redacted"
        case Forget() | SetAside():
            return change.erase
        case _:
            return False


def _time(version: CaseVersion) -> str:
    return timestamp(time_of(version.updated_at))


def _field_rows(batch: Batch, dialect: Dialect) -> list[tuple[Any, ...]]:
    rows = (
        (batch.ids[number], key, field.words[number], dialect.field_cell(field.values[number]))
        for key, field in batch.fields.items()
        for number in field.numbers
    )
    return sorted(rows, key=itemgetter(0, 1))
