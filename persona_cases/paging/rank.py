"""The order of merged items: one that holds for any mixture of values."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

SortValue: TypeAlias = bool | int | float | str | datetime
"""What an attribute to sort by can hold."""

Rank: TypeAlias = tuple[int, int, Any]
"""Missing or not, kind of value, value."""


def rank(value: object, *, descending: bool) -> Rank:
    """Where an item with this value stands: ranks compare with each other whatever the values are.

    Values of different kinds, which a custom field can hold, are ordered by kind: truth values, numbers, text, times.

    Args:
        value: the value of the attribute to sort by; what is none of these kinds counts as missing.
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
