"""Conversion of the values of a column to cells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from persona_cases.export.columns.types import ColumnKind, ColumnType, as_date, as_time, fits_utc, is_plain_time
from persona_cases.models.decoding.jsontext import encode_json

_encode_lines: Final = msgspec.json.Encoder().encode_lines

__all__ = ["as_texts", "as_values", "json_text", "timestamp"]


def as_values(type: ColumnType) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function that converts the values of a column to its type and keeps None.

    The results are bool, int, float, str, date, and datetime in UTC, or lists of them. JSON is a str.
    """
    read = _READ.get(type.kind)
    if read is None:
        return _unchanged
    if type.many:
        return _each(lambda items: [None if item is None else read(item) for item in items])
    return _each(read)


def as_texts(type: ColumnType) -> Callable[[Sequence[Any]], Sequence[str | None]]:
    """Return a function that converts the values of a column to text, or to JSON, and keeps None."""
    write = None if type.many else _WRITTEN.get(type.kind)
    return _json_texts if write is None else _each(write)


def json_text(value: Any) -> str:
    """Return the JSON of a value; JSON that was never parsed is unchanged."""
    return encode_json(value).decode()


def timestamp(moment: datetime) -> str:
    """Return a moment as `2025-12-31T23:59:59.000Z`, with microseconds if it has any.

    A moment whose year in UTC is not from 1 to 9999 keeps its own zone.
    """
    finest = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    zoned = moment.astimezone(UTC) if fits_utc(moment) else moment
    return zoned.isoformat(timespec=finest).replace("+00:00", "Z")


def _json_texts(values: Sequence[Any]) -> Sequence[str | None]:
    try:
        # All at once, because JSON contains no line breaks.
        texts = _encode_lines(values).decode().split("\n")
    except (TypeError, ValueError, OverflowError, RecursionError):
        texts = []
    if len(texts) != len(values) + 1:
        return [None if value is None else json_text(value) for value in values]
    return [None if value is None else text for value, text in zip(values, texts, strict=False)]


def _each(convert: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda values: [None if value is None else convert(value) for value in values]


def _unchanged(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _text(value: str | datetime) -> str:
    # A time attribute becomes text in a column that cannot hold all of its times.
    return timestamp(value) if isinstance(value, datetime) else value


def _moment(value: str | datetime) -> datetime | None:
    return as_time(value) if isinstance(value, str) else value.astimezone(UTC)


def _moment_text(value: str | datetime) -> str:
    if isinstance(value, str) and is_plain_time(value):
        return value
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
