"""The values that SQLite stores for the types of columns, and quoted names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from persona_cases.export.columns.cells import as_texts, as_values
from persona_cases.export.columns.types import ColumnKind, ColumnType

__all__ = ["native_type", "quoted", "to_cells"]

_NATIVE: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.BOOLEAN: "INTEGER",
    ColumnKind.INTEGER: "INTEGER",
    ColumnKind.NUMBER: "REAL",
}


def native_type(type: ColumnType) -> str:
    """Return the SQLite type of a column."""
    return "TEXT" if type.many else _NATIVE.get(type.kind, "TEXT")


def to_cells(type: ColumnType) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function that converts the values of a column to those that SQLite stores."""
    is_native = not type.many and (type.kind in _NATIVE or type.kind is ColumnKind.SMALL)
    return as_values(type) if is_native else as_texts(type)


def quoted(name: str) -> str:
    """Return a name quoted for SQL, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'
