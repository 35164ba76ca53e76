"""The columns that the caller chose. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.column import FIXED, RAW, RELATIONSHIP_COLUMNS, Column
from persona_cases.export.columns.declared import columns_of
from persona_cases.export.columns.types import JSON, TEXT
from persona_cases.models import Fieldset
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP
from persona_cases.typed import TypedCase

__all__ = ["ColumnChoice"]

_ALL_FIELDS: Final = "fields"


@attrs.frozen
class ColumnChoice:
    """The columns that the caller chose.

    Attributes:
        names: the attributes to choose, as `Fieldset` spells them; None for all.
        declared: columns of custom fields whose types the caller knows.
        raw: whether a column has the whole case as the API sent it.
    """

    names: tuple[str, ...] | None = None
    declared: tuple[Column, ...] = ()
    raw: bool = False

    @classmethod
    def of(cls, only: Iterable[str] | None, declared: Iterable[Column], *, raw: bool = False) -> ColumnChoice:
        """Make a choice from the arguments of an export.

        Raises:
            InvalidArgumentError: if a name is invalid, or a declared column is not that of a custom field.
        """
        return cls(None if only is None else Fieldset.of(only).names, cls.declared_by(declared), raw)

    @staticmethod
    def declared_by(columns: object) -> tuple[Column, ...]:
        """Return the columns that a caller declares, one by one or by a generated class.

        Raises:
            InvalidArgumentError: if they are not columns of custom fields.
        """
        if isinstance(columns, type) and issubclass(columns, TypedCase):
            return columns_of(columns)
        listed = tuple(cast("Iterable[object]", columns)) if isinstance(columns, Iterable) else (None,)
        if not all(isinstance(column, Column) and column.name.startswith(CUSTOM) for column in listed):
            raise InvalidArgumentError(
                "columns must hold columns of custom fields, as columns_from returns them, or be a generated class"
            )
        return cast("tuple[Column, ...]", listed)

    def among(
        self, custom: Sequence[Column], unknown: Sequence[Column], fixed: Sequence[Column] = FIXED
    ) -> tuple[Column, ...]:
        """Return the chosen columns.

        Args:
            custom: the columns of the custom fields of the cases.
            unknown: the columns of attributes and relationships that the library does not know.
            fixed: the columns that every table has.
        """
        raw = (Column(RAW, JSON),) if self.raw else ()
        if self.names is None:
            return (*fixed, *custom, *unknown, *raw)
        there = {column.name: column for column in (*fixed, *custom, *unknown)}
        chosen = [there["id"]]
        for name in self.names:
            chosen += custom if name == _ALL_FIELDS else [_find(name, there)]
        return (*dict.fromkeys(chosen), *raw)


def _find(name: str, there: Mapping[str, Column]) -> Column:
    """Return the column with a name; an empty column if no case has it."""
    for found in (
        RELATIONSHIP_COLUMNS.get(name),
        there.get(name),
        there.get(EXTRA + name),
        there.get(RELATIONSHIP + name),
    ):
        if found is not None:
            return found
    if name.startswith(CUSTOM):
        return Column(name, TEXT)
    return Column(name if name.startswith((EXTRA, RELATIONSHIP)) else EXTRA + name, JSON)
