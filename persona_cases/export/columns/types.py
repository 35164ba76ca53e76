"""The types of columns: the type of a JSON value, and the narrowest type of two values."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any, Final

import attrs

from persona_cases.surface import publish

__all__ = [
    "JSON",
    "NOTHING",
    "TEXT",
    "TEXTS",
    "TIME",
    "ColumnKind",
    "ColumnType",
    "are_plain_times",
    "as_date",
    "as_time",
    "fits_utc",
    "is_plain_time",
    "type_of",
    "type_of_all",
]

_EXACT_IN_A_FLOAT: Final = 2**53
_LARGEST: Final = 2**63
_TEXTS_THAT_ARE_MORE: Final = frozenset({"date", "datetime"})
_PLAIN_LENGTH: Final = len("2025-12-31T23:59:59.000Z")
_NO_TYPE: Final = frozenset({type(None)})
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class ColumnKind(enum.Enum):
    """The kind of a value.

    `SMALL` is an integer that a float holds exactly, so that it can stand among floats; `INTEGER` is any that 64 bits
    hold. Longer ones are `JSON`, whose text has all their digits.
    """

    NOTHING = "nothing"
    BOOLEAN = "boolean"
    SMALL = "small"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TEXT = "text"
    JSON = "json"


_KINDS: Final = {bool: ColumnKind.BOOLEAN, float: ColumnKind.NUMBER, str: ColumnKind.TEXT}


@attrs.frozen
class ColumnType:
    """The type of a column, or of one value.

    Types form a lattice: `a | b` is the narrowest type that holds all values of both unchanged. The order in which
    values are seen makes no difference.

    Attributes:
        kind: the kind of the values.
        many: whether each value is a list of that kind.
    """

    kind: ColumnKind
    many: bool = False

    def __or__(self, other: ColumnType) -> ColumnType:
        if other in {self, NOTHING}:
            return self
        if self == NOTHING:
            return other
        kind = _joined(self.kind, other.kind) if self.many == other.many else ColumnKind.JSON
        return JSON if kind is ColumnKind.JSON else ColumnType(kind, self.many)

    def __str__(self) -> str:
        return f"list of {self.kind.value}" if self.many else self.kind.value


NOTHING: Final = ColumnType(ColumnKind.NOTHING)
JSON: Final = ColumnType(ColumnKind.JSON)
TEXT: Final = ColumnType(ColumnKind.TEXT)
TEXTS: Final = ColumnType(ColumnKind.TEXT, many=True)
TIME: Final = ColumnType(ColumnKind.TIME)


def type_of(value: Any, declared: str | None = None) -> ColumnType:
    """Return the narrowest type that holds a JSON value.

    Args:
        value: the value.
        declared: the type that the API declares. Without it, dates and times are text.
    """
    return type_of_all((value,), (declared,))


def type_of_all(values: Sequence[Any], declared: Sequence[str | None]) -> ColumnType:
    """Return the narrowest type that holds all JSON values of a column.

    Args:
        values: the values; every type has None.
        declared: the type that the API declares for each.
    """
    kinds = set(map(type, values)) - _NO_TYPE
    if list not in kinds:
        return ColumnType(_kind_of_all(values, declared))
    if kinds != {list}:
        return JSON
    items = [item for value in values if value for item in value]
    kind = _kind_of_all(items, ())
    return JSON if kind is ColumnKind.JSON else ColumnType(kind, many=True)


def as_date(text: str) -> date | None:
    """Return the date of a text such as `2025-12-31`; None if it is not a date."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def as_time(text: str) -> datetime | None:
    """Return the time of a text, in UTC; None if it is not a time, has no zone, or is finer than microseconds."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_plain_time(text: str) -> bool:
    """Return whether a text that is a time is written as the API writes times: `2025-12-31T23:59:59.000Z`."""
    return len(text) == _PLAIN_LENGTH and text[10] == "T" and text[-1] == "Z"


def are_plain_times(texts: Sequence[str]) -> bool:
    """Return whether all of some texts that are times are plain; see `is_plain_time`."""
    # At once: in a time, the end is the only place for a Z, so that no other lengths lead to a Z in these places.
    joined, count = "".join(texts), len(texts)
    long = len(joined) == _PLAIN_LENGTH * count
    return (
        long and joined[10::_PLAIN_LENGTH] == "T" * count and joined[_PLAIN_LENGTH - 1 :: _PLAIN_LENGTH] == "Z" * count
    )


def fits_utc(moment: datetime) -> bool:
    """Return whether an aware time has a year from 1 to 9999 in UTC, which is what Python and Parquet can hold."""
    if 1 < moment.year < 9999:
        return True
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _kind_of_all(values: Sequence[Any], declared: Sequence[str | None]) -> ColumnKind:
    """Return the narrowest kind that holds all values. Nested lists are JSON, however deep they are."""
    types = set(map(type, values)) - _NO_TYPE
    if types == {str} and not _TEXTS_THAT_ARE_MORE.isdisjoint(declared):
        texts = zip(values, declared, strict=True)
        return reduce(_joined, {_kind_of_text(text, word) for text, word in texts if text is not None})
    kinds = {_KINDS.get(each, ColumnKind.JSON) for each in types - {int}}
    if int in types:
        integers = [value for value in values if type(value) is int]
        kinds |= {_kind_of_integer(min(integers)), _kind_of_integer(max(integers))}
    return reduce(_joined, kinds, ColumnKind.NOTHING)


def _kind_of_integer(value: int) -> ColumnKind:
    if -_EXACT_IN_A_FLOAT <= value <= _EXACT_IN_A_FLOAT:
        return ColumnKind.SMALL
    return ColumnKind.INTEGER if -_LARGEST <= value < _LARGEST else ColumnKind.JSON


def _kind_of_text(value: str, declared: str | None) -> ColumnKind:
    if declared == "date" and as_date(value) is not None:
        return ColumnKind.DATE
    if declared == "datetime" and as_time(value) is not None:
        return ColumnKind.TIME
    return ColumnKind.TEXT


def _joined(one: ColumnKind, other: ColumnKind) -> ColumnKind:
    kinds = {one, other} - {ColumnKind.NOTHING}
    if len(kinds) < 2:
        return kinds.pop() if kinds else ColumnKind.NOTHING
    if kinds == {ColumnKind.SMALL, ColumnKind.INTEGER}:
        return ColumnKind.INTEGER
    if kinds == {ColumnKind.SMALL, ColumnKind.NUMBER}:
        return ColumnKind.NUMBER
    if kinds <= {ColumnKind.DATE, ColumnKind.TIME, ColumnKind.TEXT}:
        return ColumnKind.TEXT
    return ColumnKind.JSON


publish("persona_cases.export", ColumnKind, ColumnType)
