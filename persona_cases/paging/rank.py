"""The order of merged items, defined for any mixture of values."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

SortValue: TypeAlias = bool | int | float | str | datetime
"""The values that a sort key can have."""

Rank: TypeAlias = tuple[int, int, Any]
"""Whether the value is missing, its kind, and the value."""


def rank(value: object, *, descending: bool) -> Rank:
    """Return the rank of an item with this value. All ranks can be compared with each other.

    Values of different kinds, which a custom field can hold, are ordered by kind: booleans, numbers, strings, times.

    Args:
        value: the value of the sort key; a value of any other kind counts as missing.
        descending: whether the greatest rank comes first. A missing value comes last in either direction.
    """
    match value:
        case bool():
            return (0, 0, value)
        case int() | float():
            return (0, 1, value)
        case str():
            return (0, 2, value)
        case datetime():
            return (0, 3, value)
        case _:
            return (-1 if descending else 1, 0, 0)
