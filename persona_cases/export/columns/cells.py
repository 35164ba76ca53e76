"""From the values of a row to what stands in the cells of a column: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from persona_cases.export.columns.types import ColumnKind, ColumnType, as_date, as_time, fits_utc
from persona_cases.models.decoding.jsontext import encode_json

__all__ = ["as_text", "as_value", "json_text", "timestamp"]


def as_value(type: ColumnType) -> Callable[[Any], Any]:
    """Return what turns a value, which may be None, into one of a column's type.

    These are bool, int, float, str, date, and datetime in UTC, or lists of them; JSON is a str.
    """
    read = _READ.get(type.kind)
    if read is None:
        return _unchanged
    if type.many:
        return lambda items: None if items is None else [None if each is None else read(each) for each in items]
    return lambda value: None if value is None else read(value)


def as_text(type: ColumnType) -> Callable[[Any], str | None]:
    """Return what turns a value, which may be None, into text: words as they are, anything else as JSON writes it."""
    write = _WRITTEN.get(type.kind, json_text)
    if type.many:
        write = json_text
    return lambda value: None if value is None else write(value)


def json_text(value: Any) -> str:
    """Return the JSON of a value; what was never parsed stays as it was sent."""
    return encode_json(value).decode()


def timestamp(moment: datetime) -> str:
    """Return a moment as `2025-12-31T23:59:59.000Z`, with microseconds if it has any.

    A moment whose year in UTC is not from 1 to 9999 keeps its own zone.
    """
    finest = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    zoned = moment.astimezone(UTC) if fits_utc(moment) else moment
    return zoned.isoformat(timespec=finest).replace("+00:00", "Z")


def _unchanged(value: Any) -> Any:
    return value


def _text(value: str | datetime) -> str:
    # An attribute that is a time for the library is a text in a column that could not hold all of its times.
    return timestamp(value) if isinstance(value, datetime) else value


def _moment(value: str | datetime) -> datetime | None:
    return as_time(value) if isinstance(value, str) else value.astimezone(UTC)


def _moment_text(value: str | datetime) -> str:
    moment = as_time(value) if isinstance(value, str) else value
    return "" if moment is None else timestamp(moment)


_READ: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.NUMBER: float,
    ColumnKind.DATE: as_date,
    ColumnKind.TIME: _moment,
    ColumnKind.TEXT: _text,
    ColumnKind.JSON: json_text,
}
_WRITTEN: Final[Mapping[ColumnKind, Callable[[Any], str]]] = {
    ColumnKind.TEXT: _text,
    ColumnKind.DATE: str,
    ColumnKind.TIME: _moment_text,
}
