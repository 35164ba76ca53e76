"""Conversion of JSON text to plain values and back, with `DecodeError` as the only error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

import msgspec

from persona_cases.errors import DecodeError, InvalidArgumentError

__all__ = [
    "REFUSED",
    "check_utf8",
    "encode_json",
    "is_array",
    "is_object",
    "is_utf8",
    "json_type",
    "parse_json",
    "plain_json",
    "step",
]

REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors that msgspec raises for JSON that it rejects."""

_JSON_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "boolean"),
    (str, "string"),
    ((int, float), "number"),
    ((list, tuple), "array"),
    (Mapping, "object"),
)


def check_utf8(body: object) -> None:
    """Raise for a body that is not UTF-8, because msgspec checks only the strings that it builds."""
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidArgumentError("body must be bytes, as the API sent them")
    if not (body.isascii() or is_utf8(body)):
        raise DecodeError("not JSON: the body is not UTF-8 text")


def parse_json(body: bytes) -> Any:
    """Parse any JSON text into dicts, lists and scalars."""
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError:
        reason = "a number is out of range"
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = "not JSON: the body is malformed or cut off"
    except RecursionError:
        reason = "the JSON is nested too deeply"
    raise DecodeError(reason)


def encode_json(value: Any, *, canonical: bool = False) -> bytes:
    """Encode a plain JSON value as compact text; `canonical` sorts the keys of all objects."""
    try:
        return msgspec.json.encode(value, order="sorted" if canonical else None)
    except ValueError:
        reason = "an integer has more digits than Python writes"
    raise DecodeError(reason)


def plain_json(value: object, pointer: str = "") -> Any:
    """Copy a JSON value of mappings, lists, tuples and scalars into plain dicts and lists.

    Args:
        value: the caller's JSON value.
        pointer: its JSON pointer, for the error.

    Raises:
        DecodeError: if something in it has no JSON form (a date, NaN, a key that is not a string).
    """
    path: list[str | int] = []
    try:
        return _plain(value, path)
    except RecursionError:
        reason = "nested too deeply, or it contains itself"
    except _NoJSONError as refused:
        reason = str(refused)
        pointer += "".join(map(step, path))
    raise DecodeError(reason, pointer=pointer)


def json_type(value: object) -> str:
    """Return the JSON name of a value's type, for error messages."""
    named = (name for types, name in _JSON_TYPES if isinstance(value, types))
    return next(named, type(value).__name__)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a parsed JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a parsed JSON value is an array."""
    return isinstance(value, list)


def step(segment: str | int) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return "/" + str(segment).replace("~", "~0").replace("/", "~1")


class _NoJSONError(Exception):
    """A value has no JSON form; `path` leads to it."""


def _plain(value: object, path: list[str | int]) -> Any:
    if value is None or type(value) in {bool, int}:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, str) and _is_text(value):
        return str.__str__(value)
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        return [_plain_at(index, each, path) for index, each in enumerate(items)]
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        if all(isinstance(key, str) and _is_text(key) for key in members):
            named = cast("Mapping[str, object]", members)
            return {str.__str__(key): _plain_at(key, each, path) for key, each in named.items()}
        raise _NoJSONError("an object has a key that is not a string of Unicode text")
    raise _NoJSONError(f"expected a JSON value, got a {json_type(value)} that has no JSON form")


def _plain_at(segment: str | int, value: object, path: list[str | int]) -> Any:
    path.append(segment)
    plain = _plain(value, path)
    path.pop()
    return plain


def _is_text(value: str) -> bool:
    """Return whether a string can be encoded as UTF-8: a lone surrogate cannot."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_utf8(body: bytes | bytearray) -> bool:
    """Return whether bytes are UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
