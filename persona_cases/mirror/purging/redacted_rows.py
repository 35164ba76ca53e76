"""The redacted cases in a file, and the rows that replace them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.column import FIXED, RAW, Column
from persona_cases.export.columns.titles import titled
from persona_cases.export.columns.types import ColumnType
from persona_cases.models.decoding.jsontext import encode_json, is_object, parse_json
from persona_cases.models.decoding.key_inflection import without_spelling
from persona_cases.models.decoding.pieces import members

__all__ = ["Holding", "ToCells", "redacted_cells", "redacted_line"]


@attrs.frozen
class Holding:
    """The redacted cases in a file.

    Attributes:
        ids: the ids of the cases.
        unreadable: number of lines without a readable id, which may be of any case.
    """

    ids: frozenset[str]
    unreadable: int = 0


ToCells: TypeAlias = Callable[[ColumnType], Callable[[Sequence[Any]], Sequence[Any]]]
"""Returns a function that converts the values of a column to those that a format stores."""

# A table names its columns in one of two styles.
_COLUMNS: Mapping[str, Column] = {
    each.title: each.column for style in ("dotted", "snake") for each in titled(FIXED, style)
}


def redacted_cells(line: bytes, before: Sequence[Any], names: Sequence[str], to_cells: ToCells) -> list[Any]:
    """Return the row of a redacted case, without values for custom fields and unknown attributes.

    Args:
        line: the case as the API shows it now.
        before: the cells of the row in the file.
        names: the names of the columns.
        to_cells: returns a function that converts the values of a column to those that the format stores.
    """
    batch = BatchReader().read([line])
    cells = list[Any]()
    for name, cell in zip(names, before, strict=True):
        column = _COLUMNS.get(name)
        if name == RAW:
            cells.append(redacted_line(line, cell.encode()).decode())
        elif column is None:
            cells.append(None)
        else:
            cells += to_cells(column.type)(batch.column(column.name))
    return cells


def redacted_line(line: bytes, before: bytes) -> bytes:
    """Return the line of a redacted case, with no more attributes than the line had before.

    Args:
        line: the case as the API shows it now.
        before: the line in the file, which need not be decodable JSON.
    """
    now, old = parse_json(line), members(before) or {}
    for section in ("attributes", "relationships"):
        new = now.get(section)
        if is_object(new):
            had = set(map(without_spelling, members(old.get(section, b"")) or ()))
            now[section] = {name: value for name, value in new.items() if without_spelling(name) in had}
    if "relationships" not in old:
        now.pop("relationships", None)
    return encode_json(now)
