"""Now, and how far from it: what relative times are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.query.clock import current_time

__all__ = ["moment_of", "shifted", "span_of"]


def moment_of(asking: str, now: object) -> datetime:
    """The `now` that a caller gave, or else the moment of the call.

    Args:
        asking: the function whose argument it is, for the error message.
        now: an aware datetime, or None.

    Raises:
        QueryTypeError: if it is of another type.
        QueryError: if it has no zone, or names no time.
    """
    if now is None:
        return current_time()
    if not isinstance(now, datetime):
        raise QueryTypeError(f"{asking}: now must be an aware datetime, not {type(now).__name__}")
    try:
        # In UTC an hour is always an hour long.
        moment = now.astimezone(UTC) if now.utcoffset() is not None else None
    except (OverflowError, ValueError, TypeError, NotImplementedError):
        raise QueryError(f"{asking}: now names no moment of the years 1 to 9999") from None
    if moment is None:
        raise QueryError(f"{asking}: now must not be naive: give it a zone, such as datetime(..., tzinfo=UTC)")
    return moment


def span_of(asking: str, span: object, **parts: float) -> timedelta:
    """The length of a span that was given as a timedelta, by its parts, or both.

    Raises:
        QueryTypeError: if `span` is no timedelta, or a part is no number.
        QueryError: if it is not positive, or out of range.
    """
    if span is not None and not isinstance(span, timedelta):
        raise QueryTypeError(f"{asking} takes a timedelta, or keywords such as {asking}(days=7)")
    try:
        length = timedelta(**parts) + (span or timedelta())
    except TypeError:
        raise QueryTypeError(f"{asking} takes numbers, such as {asking}(days=7)") from None
    except (OverflowError, ValueError):
        raise QueryError(f"{asking}: the span is out of range") from None
    if not length > timedelta():
        raise QueryError(f"{asking} needs a span, such as {asking}(days=7); it is positive, whichever way it reaches")
    return length


def shifted(asking: str, moment: datetime, length: timedelta, *, back: bool = False) -> datetime:
    """The moment that lies `length` after another one, or before it.

    Raises:
        QueryError: if it lies outside the years 1 to 9999.
    """
    try:
        return moment - length if back else moment + length
    except OverflowError:
        raise QueryError(f"{asking}: the span is out of range") from None
