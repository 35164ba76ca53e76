"""The values that databases with strict types store for the types of columns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from persona_cases.export.columns.cells import as_texts, as_values
from persona_cases.export.columns.types import ColumnKind, ColumnType, type_of

__all__ = ["text_of", "typed_cells", "typed_native"]


def typed_native(natives: Mapping[ColumnKind, str], many: str) -> Callable[[ColumnType], str]:
    """Return a function that returns the database's type for a column.

    Args:
        natives: the types by kind; all others are text.
        many: the suffix of the type of a list.
    """

    def native(type: ColumnType) -> str:
        return natives.get(type.kind, "TEXT") + (many if type.many else "")

    return native


def typed_cells(type: ColumnType) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function that converts the values of a column to those that the database stores."""
    return as_values(type)


def text_of(value: Any) -> str | None:
    """Return one value as text: strings unchanged, anything else as JSON."""
    (cell,) = as_texts(type_of(value))([value])
    return cell
