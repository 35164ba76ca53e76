"""Conversion of the values in comparisons to JSON scalars. A value that cannot be converted raises at once."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from enum import Enum
from typing import Final, TypeAlias

from persona_cases.errors import InvalidArgumentError, QueryError, QueryTypeError

__all__ = ["Scalar", "instant", "is_date", "require_time_text", "to_scalar", "unwrap_enum", "whole_number"]

_LONE_SURROGATE: Final = r"[\ud800-\udfff]"

Scalar: TypeAlias = str | int | float | bool

# Signed and unsigned 64 bits: the range that JSON encoders and servers agree on.
_SMALLEST_INT: Final = -(2**63)
_LARGEST_INT: Final = 2**64 - 1

_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?P<clock>T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)

_HINTS: Final = {
    "NoneType": "the API has no null; times have .is_set() and .is_unset()",
    "Decimal": "choose float(value) or str(value), whichever the field holds",
    "UUID": "use str(value)",
    "timedelta": "times have .in_last(...) and .in_next(...)",
    "bytes": "decode it to str",
    "list": "for several values use .in_([...])",
    "tuple": "for several values use .in_([...])",
    "set": "for several values use .in_([...])",
    "frozenset": "for several values use .in_([...])",
}


def to_scalar(value: object, subject: str = "an attribute", *, whole_days: bool = False) -> Scalar:
    """Convert a Python value, or the `Enum` member that holds it, to its JSON scalar.

    Args:
        value: str, int (64 bits), float (finite), bool, aware datetime or date.
        subject: the attribute that it is compared with, for error messages.
        whole_days: whether a date becomes the string of that day, as in custom fields, rather than its UTC midnight.
    """
    value = unwrap_enum(value)
    match value:
        case bool():
            return value
        case str():
            return _plain_text(value, subject)
        case int():
            return _bounded_int(value, subject)
        case float():
            return _finite_float(value, subject)
        case datetime():
            return _utc_text(value, subject)
        case date():
            return value.isoformat() if whole_days else f"{value.isoformat()}T00:00:00Z"
        case _:
            kind = type(value).__name__
            hint = _hint(kind, type(value).__module__)
            said = "None" if value is None else f"a value of type {kind}"
            raise QueryTypeError(f"{subject} cannot be compared with {said}: {hint}")


def unwrap_enum(value: object) -> object:
    """Return the value of an `Enum` member, and anything else unchanged."""
    return value.value if isinstance(value, Enum) else value


def instant(text: str) -> datetime | None:
    """Return the time of an ISO 8601 date (its UTC midnight) or date-time with a zone; None for other strings."""
    match = _ISO_TIME.fullmatch(text)
    if match is None or (match["clock"] and not match["zone"]):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if match["clock"] else moment.replace(tzinfo=UTC)


def is_date(text: str) -> bool:
    """Return whether a string that `instant` understands names a whole day."""
    return "T" not in text


def require_time_text(text: str, subject: str) -> None:
    """Raise if a string is not an ISO date or date-time, or has no zone."""
    if instant(text) is not None:
        return
    match = _ISO_TIME.fullmatch(text)
    if match is not None and match["clock"] and not match["zone"]:
        raise QueryError(f"{subject} needs a time with its zone: end it with Z or an offset such as +02:00")
    raise QueryError(f"{subject} takes an ISO date or time such as '2025-01-31' or '2025-01-31T12:00:00Z'")


def whole_number(argument: str, value: object, least: int) -> int:
    """Return a caller's number, or raise if it is not a whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{argument} must be a whole number of at least {least}")
    return value


def _hint(kind: str, module: str) -> str:
    if kind not in _HINTS and module.partition(".")[0] == "numpy":
        return "use value.item(), which is a plain Python value"
    if module.partition(".")[0] == "persona_cases" and kind.endswith("Field"):
        return "the API compares an attribute with a value, not with another attribute"
    return _HINTS.get(kind, "use a str, int, float, bool, aware datetime or date")


def _plain_text(value: str, subject: str) -> str:
    text = str.__str__(value)
    # Searched for rather than tried, because an encoder's error holds the whole string. Few strings need the pattern.
    if not text.isascii() and re.search(_LONE_SURROGATE, text):
        raise QueryError(f"{subject} cannot be compared with a text that UTF-8 cannot encode (a lone surrogate)")
    return text


def _bounded_int(value: int, subject: str) -> int:
    if not _SMALLEST_INT <= value <= _LARGEST_INT:
        raise QueryError(
            f"{subject} cannot be compared with an integer beyond 64 bits: use a str if the field holds text"
        )
    return int(value)


def _finite_float(value: float, subject: str) -> float:
    if not math.isfinite(value):
        raise QueryError(f"{subject} cannot be compared with NaN or infinity: JSON has no such number")
    # Adding zero turns -0.0 into 0.0, so that equal numbers of one type are equal JSON.
    return float(value) + 0.0


def _utc_text(value: datetime, subject: str) -> str:
    try:
        naive = value.utcoffset() is None
        moment = value if naive else value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise QueryError(f"{subject} cannot be compared with a time outside the years 1 to 9999") from None
    except (ValueError, TypeError, NotImplementedError):
        # pandas.NaT is a datetime that raises for most methods, and a time zone may be any foreign class.
        raise QueryError(
            f"{subject} cannot be compared with this {type(value).__name__}, which names no time:"
            " leave such values out, or use .is_unset()"
        ) from None
    if naive:
        raise QueryError(
            f"{subject} cannot be compared with a naive datetime: give it a zone,"
            " such as datetime(..., tzinfo=UTC) or value.astimezone()"
        )
    if not moment.microsecond:
        precision = "seconds"
    elif moment.microsecond % 1000:
        precision = "microseconds"
    else:
        precision = "milliseconds"
    return f"{moment.isoformat(timespec=precision)}Z"
