"""The columns that the cases need: the first of two readings. Pure, with bounded memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

from persona_cases.export.columns.batch import Batch, BatchReader, FieldColumn, OnRefused
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.column import FIXED, RAW, Column
from persona_cases.export.columns.declared import declared_type
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.columns.types import JSON, NOTHING, TEXT, ColumnKind, ColumnType
from persona_cases.name_prefixes import CUSTOM

__all__ = ["Survey", "settled"]

_KNOWN = frozenset({*(column.name for column in FIXED), RAW})


class Survey:
    """Finds the columns of a table in one reading of the cases.

    The order of the cases makes no difference.

    Args:
        on_refused: takes lines that are not cases; None raises an error for such a line.
        raw: whether the whole case as the API sent it is a column too.
    """

    def __init__(self, on_refused: OnRefused | None = None, *, raw: bool = False) -> None:
        self._raw = raw
        self._reader = BatchReader(on_refused)
        self._seen: defaultdict[str, ColumnType] = defaultdict(lambda: NOTHING)
        self._declared: defaultdict[str, ColumnType] = defaultdict(lambda: NOTHING)
        self._unknown: set[str] = set()
        self._filled: set[str] = set()
        self._texts: set[str] = set()

    def observe(self, lines: Sequence[bytes]) -> Batch:
        """Read some cases.

        Returns:
            The cases by columns, without those that `on_refused` took.

        Raises:
            DecodeError: if a line is not a case and `on_refused` is None.
        """
        batch = self._reader.read(lines)
        if self._raw:
            batch = batch.with_raw()
        for key, field in batch.fields.items():
            self._observe_field(CUSTOM + key, field)
        self._filled |= batch.filled
        self._unknown |= batch.filled - _KNOWN - self._seen.keys()
        self._texts |= batch.beyond_utc
        return batch

    def _observe_field(self, name: str, field: FieldColumn) -> None:
        self._seen[name] |= field.type
        for word in set(field.words):
            if word is not None:
                self._declared[name] |= declared_type(word)

    def columns(self, choice: ColumnChoice) -> tuple[Column, ...]:
        """Return the columns.

        By default, the documented columns come first, then custom fields and then unknown attributes and relationships,
        both sorted by name. With a choice, the id comes first and the others in the order of the choice.
        """
        declared = self._declared.copy()
        for column in choice.declared:
            declared[column.name] |= column.type
        custom = tuple(
            Column(name, settled(self._seen[name], declared[name])) for name in sorted({*self._seen, *declared})
        )
        unknown = tuple(Column(name, JSON) for name in sorted(self._unknown))
        fixed = tuple(attrs.evolve(each, type=TEXT) if each.name in self._texts else each for each in FIXED)
        return choice.among(custom, unknown, fixed)

    def empty(self, columns: Iterable[TitledColumn]) -> tuple[str, ...]:
        """Return the titles of the columns in which no case has a value."""
        return tuple(each.title for each in columns if each.column.name not in self._filled)


def settled(seen: ColumnType, declared: ColumnType) -> ColumnType:
    """Return the type of the column of a custom field, from its values and the types that the API declares.

    The declared type applies if the values fit, so that the next export, with other cases, has the same type.
    """
    chosen = declared if seen | declared == declared else seen
    kind = {ColumnKind.SMALL: ColumnKind.INTEGER, ColumnKind.NOTHING: ColumnKind.TEXT}.get(chosen.kind, chosen.kind)
    return ColumnType(kind, chosen.many)
