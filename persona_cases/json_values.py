"""Python values as the JSON of a request. Values that the API could only guess at raise before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, cast

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import can_be_sent

T = TypeVar("T")
N = TypeVar("N", float, Decimal)

_encoder = msgspec.json.Encoder(decimal_format="number")
_DEEPEST = 50
_LONGEST_KEY_SHOWN = 60
# Writing a number takes time quadratic in its length, and Python raises beyond 4,300 digits.
_MOST_BITS = 4096


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a request body as JSON text; decimals keep all their digits.

    Args:
        body: built from what `json_value`, `field_values` and `protocol.checks.text` return.
    """
    return _encoder.encode(body)


def field_values(fields: object) -> dict[str, Any]:
    """Check the custom fields of a request and convert their values to JSON.

    Keys are sent unchanged. `json_value` converts the values.

    Raises:
        InvalidArgumentError: if `fields` is not a mapping, or a value cannot be sent. The message names the key, never
            the value.
    """
    if not isinstance(fields, Mapping):
        raise InvalidArgumentError(
            "fields must be a mapping from field keys to values, such as {'priority': 'high'}, or what `changes` of a"
            " generated class returns"
        )
    return _mapping(cast("Mapping[object, object]", fields), "fields", 0)


def json_value(value: object, where: str) -> Any:
    """Convert a value to JSON.

    A value is a string, number, boolean, None, `datetime` (aware; sent in UTC), `date`, `Decimal` (sent as a number) or
    `Enum` member (sent as its value), or a list or mapping of these. Subclasses, such as numpy's floats, are sent as
    their base class.

    Args:
        value: the caller's value.
        where: the name of the caller's argument.

    Raises:
        InvalidArgumentError: if it cannot be sent. The message says where in the argument, but shows no value.
    """
    return _value(value, where, 0)


def _mapping(values: Mapping[object, object], where: str, depth: int) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str) or not key:
            raise InvalidArgumentError(f"{where}: keys must be non-empty strings")
        name = _text(key, f"{where}: a key")
        converted[name] = _value(value, f"{where}[{name[:_LONGEST_KEY_SHOWN]!r}]", depth + 1)
    return converted


def _value(value: object, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidArgumentError(f"{where.partition('[')[0]} is nested more than {_DEEPEST} levels deep")
    match value:
        case Enum():
            return _value(value.value, where, depth + 1)
        case None | bool():
            return value
        case str():
            return _text(value, where)
        case int():
            return _whole(value, where)
        case float():
            return _finite(float.__pos__(value), where)
        case Decimal():
            return _finite(Decimal(value), where)
        case datetime():
            return _moment(value, where)
        case date():
            return _attempt(value.isoformat, where, "a date")
        case Mapping():
            return _mapping(cast("Mapping[object, object]", value), where, depth)
        case list() | tuple():
            items = cast("list[object] | tuple[object, ...]", value)
            return [_value(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(items)]
        case _:
            raise InvalidArgumentError(
                f"{where} cannot be sent as JSON: {type(value).__name__} is not one of str, int, float, bool, None, "
                "datetime, date, Decimal, Enum, list or mapping"
            )


def _text(value: str, where: str) -> str:
    if not can_be_sent(value):
        raise InvalidArgumentError(f"{where} has an unpaired surrogate, which UTF-8 cannot carry: remove it")
    return str.__str__(value)


def _whole(value: int, where: str) -> int:
    if int.bit_length(value) > _MOST_BITS:
        raise InvalidArgumentError(f"{where} must be a number of at most {_MOST_BITS:,} bits: send it as a string")
    return int.__pos__(value)


def _finite(value: N, where: str) -> N:
    # The order matters: a signalling NaN is a Decimal that cannot become a float.
    if not Decimal(value).is_finite() or not math.isfinite(float(value)):
        raise InvalidArgumentError(f"{where} must be a finite number: send None for a missing one")
    return value


def _moment(value: datetime, where: str) -> str:
    offset = _attempt(value.utcoffset, where, "a point in time")
    if offset is None:
        raise InvalidArgumentError(f"{where} must be an aware datetime: give it a tzinfo, such as datetime.UTC")
    text = _attempt(lambda: value.astimezone(UTC).isoformat(), where, "a point in time")
    return text.replace("+00:00", "Z")


def _attempt(convert: Callable[[], T], where: str, kind: str) -> T:
    """Convert a value of a foreign class: pandas has datetimes, such as NaT, that are not points in time."""
    try:
        return convert()
    except Exception:  # noqa: BLE001, S110 - what a stranger's class raises may hold its value, so nothing of it stays
        pass
    raise InvalidArgumentError(f"{where} must be {kind} that UTC can express: send None for a missing one")
