"""The names of the columns of a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from persona_cases.export.columns.column import Column
    from persona_cases.export.formats.target import ColumnStyle

__all__ = ["TitledColumn", "titled"]

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_NO_LETTERS: Final = re.compile(r"\W+")


class TitledColumn(msgspec.Struct, frozen=True):
    """A column of one table.

    Attributes:
        title: its name in the table.
        column: the column.
    """

    title: str
    column: Column


def titled(columns: Iterable[Column], style: ColumnStyle = "dotted") -> tuple[TitledColumn, ...]:
    """Name the columns of a table.

    In snake case, two names may become one. The first column keeps it, and the others get a number: `fields_a_b_2`.

    Args:
        columns: the columns, in their order.
        style: how to spell their names.
    """
    if style == "dotted":
        return tuple(TitledColumn(column.name, column) for column in columns)
    listed = tuple(columns)
    titles = _distinct([_snake(column.name) for column in listed])
    return tuple(map(TitledColumn, titles, listed))


def _snake(name: str) -> str:
    return _NO_LETTERS.sub("_", _HUMP.sub(r"_\1", name).lower())


def _distinct(names: Sequence[str]) -> list[str]:
    taken = dict[str, None]()
    for name in names:
        spellings = chain([name], (f"{name}_{number}" for number in count(2)))
        taken[next(each for each in spellings if each not in taken)] = None
    return list(taken)
