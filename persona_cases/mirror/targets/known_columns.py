"""The columns of a mirror's table `cases`, and the changes that new cases need. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import Final

import attrs

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.column import FIXED, RAW
from persona_cases.export.columns.declared import declared_type
from persona_cases.export.columns.survey import settled
from persona_cases.export.columns.types import (
    JSON,
    NOTHING,
    TEXT,
    TIME,
    ColumnKind,
    ColumnType,
    fits_utc,
    type_of_all,
)
from persona_cases.name_prefixes import CUSTOM

__all__ = ["ColumnChange", "KnownColumn", "KnownColumns"]

_FIXED_NAMES: Final = frozenset(column.name for column in FIXED)
_TIMES: Final = tuple(column.name for column in FIXED if column.type == TIME)


@attrs.frozen(kw_only=True)
class KnownColumn:
    """A column.

    Attributes:
        source: the name of the column in an export.
        name: its name in the database, unique even if case is ignored.
        seen: for a custom field, the type of the values seen.
        declared: for a custom field, the type that the API declares.
    """

    source: str
    name: str
    seen: ColumnType = NOTHING
    declared: ColumnType = NOTHING

    @property
    def type(self) -> ColumnType:
        """The type of the column."""
        return settled(self.seen, self.declared)

    @property
    def stored(self) -> tuple[str, str, str, str]:
        """The column as strings."""
        return self.source, self.name, str(self.seen), str(self.declared)

    @classmethod
    def read(cls, source: str, name: str, seen: str, declared: str) -> KnownColumn:
        """Read a column from the strings that `stored` returned."""
        return cls(source=source, name=name, seen=_type_named(seen), declared=_type_named(declared))


@attrs.frozen
class ColumnChange:
    """A new column, or one with a new type.

    Attributes:
        column: the new column.
        before: the old column; None if it is new.
    """

    column: KnownColumn
    before: KnownColumn | None


class KnownColumns:
    """The columns of the table, in order.

    Args:
        columns: the existing columns; if empty, the fixed ones.
        most: maximum number of columns; further custom fields are only in the table `fields`.
    """

    def __init__(self, columns: Iterable[KnownColumn], most: int) -> None:
        self._columns = {column.source: column for column in columns} or {
            column.name: KnownColumn(source=column.name, name=column.name, seen=column.type, declared=column.type)
            for column in FIXED
        }
        self._taken = {RAW, *(column.name.lower() for column in self._columns.values())}
        self._most = most

    def __iter__(self) -> Iterator[KnownColumn]:
        return iter(self._columns.values())

    def learn(self, batch: Batch) -> list[ColumnChange]:
        """Add the columns and types that some cases need.

        Returns:
            The changes to make.
        """
        changes = list[ColumnChange]()
        for source, seen, declared in _needed(batch):
            before = self._columns.get(source)
            if before is None:
                if len(self._columns) >= self._most:
                    continue
                after = KnownColumn(source=source, name=self._name_for(source), seen=seen, declared=declared)
            else:
                after = attrs.evolve(before, seen=before.seen | seen, declared=before.declared | declared)
            if after != before:
                self._columns[source] = after
                changes.append(ColumnChange(after, before))
        return changes

    def _name_for(self, source: str) -> str:
        # SQL cannot quote a NUL, and PostgreSQL takes 63 bytes.
        plain = _cut(source.replace("\0", "\ufffd"), 55)
        names = chain([plain], (f"{plain} ({number})" for number in count(2)))
        name = next(name for name in names if name.lower() not in self._taken)
        self._taken.add(name.lower())
        return name


def _needed(batch: Batch) -> Iterator[tuple[str, ColumnType, ColumnType]]:
    for key, field in batch.fields.items():
        declared = NOTHING
        for word in set(field.words):
            if word is not None:
                declared |= declared_type(word)
        yield CUSTOM + key, type_of_all(field.values, field.words), declared
    for name in _TIMES:
        if any(moment is not None and not fits_utc(moment) for moment in batch.column(name)):
            yield name, TEXT, TEXT
    fields = {CUSTOM + key for key in batch.fields}
    for name, values in batch.values.items():
        if name not in _FIXED_NAMES and name not in fields and any(value is not None for value in values):
            yield name, JSON, JSON


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _type_named(text: str) -> ColumnType:
    kind = text.removeprefix("list of ")
    return ColumnType(ColumnKind(kind), many=kind != text)
