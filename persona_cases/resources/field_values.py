"""Python values as the JSON values of custom fields: pure, and refused early where the API could only guess."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import msgspec

from persona_cases.errors import InvalidArgumentError

_encoder = msgspec.json.Encoder(decimal_format="number")
_DEEPEST = 50


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a request body as JSON text; decimals keep all their digits."""
    return _encoder.encode(body)


def field_values(fields: object) -> dict[str, Any]:
    """Check the custom fields of a request and make JSON of their values.

    Keys are sent as they are. Values may be strings, numbers, booleans, None, lists and mappings of these, and:
    `datetime` (aware; sent in UTC), `date`, `Decimal` (sent as a number) and members of an `Enum` (sent as its value).

    Raises:
        InvalidArgumentError: if it is no mapping, or a value can not be sent. The message names the key, never the
            value.
    """
    if not isinstance(fields, Mapping):
        raise InvalidArgumentError("fields must be a mapping from field keys to values, such as {'priority': 'high'}")
    return _mapping(cast("Mapping[object, object]", fields), "fields", 0)


def _mapping(values: Mapping[object, object], where: str, depth: int) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str) or not key:
            raise InvalidArgumentError(f"{where}: keys must be non-empty strings")
        converted[key] = _value(value, f"{where}[{key!r}]", depth + 1)
    return converted


def _value(value: object, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidArgumentError(f"{where} is nested more than {_DEEPEST} levels deep")
    match value:
        case Enum():
            return _value(value.value, where, depth)
        case None | bool() | str() | int():
            return value
        case float() | Decimal():
            return _finite(value, where)
        case datetime():
            return _moment(value, where)
        case date():
            return value.isoformat()
        case Mapping():
            return _mapping(cast("Mapping[object, object]", value), where, depth)
        case list() | tuple():
            items = cast("list[object] | tuple[object, ...]", value)
            return [_value(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(items)]
        case _:
            raise InvalidArgumentError(
                f"{where} can not be sent as JSON: {type(value).__name__} is not one of str, int, float, bool, None, "
                "datetime, date, Decimal, Enum, list or mapping"
            )


def _finite(value: float | Decimal, where: str) -> float | Decimal:
    if not math.isfinite(value):
        raise InvalidArgumentError(f"{where} must be a finite number")
    return value


def _moment(value: datetime, where: str) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError(f"{where} must be an aware datetime: give it a tzinfo, such as datetime.UTC")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
