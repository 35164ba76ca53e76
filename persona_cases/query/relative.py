"""Times that are counted from now: `now() - 7d`, `today()`, and what `in_last` and `in_next` are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

import attrs

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.name_prefixes import custom_key
from persona_cases.query.nodes import Comparison, Predicate, fold_nodes

__all__ = ["UNITS", "RelativeTime", "as_written", "current_time", "moment_of", "shifted", "span_of"]

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WHOLE_DAYS: Final = frozenset({"d", "w"})

_OUT_OF_RANGE: Final = "this time lies outside the years 1 to 9999"


def current_time() -> datetime:
    """The moment of the call: the one clock of the pure rooms."""
    return datetime.now(UTC)


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


@attrs.frozen
class RelativeTime:
    """A time that was counted from now.

    Attributes:
        moment: the time itself, aware.
        words: how it was counted from the clock, in words that mean another time tomorrow; None if the caller fixed it.
        day: the day that begins at the moment, if it was asked for as a day.
    """

    moment: datetime
    words: str | None
    day: date | None = None

    @classmethod
    def day_of(cls, now: datetime, zone: tzinfo, *, words: str | None) -> RelativeTime:
        """The day, in a time zone, in which `now` lies.

        Raises:
            QueryError: if there is no such day.
        """
        try:
            day = now.astimezone(zone).date()
        except OverflowError:
            raise QueryError(_OUT_OF_RANGE) from None
        return cls(_midnight(day, zone), words, day)

    def shifted(self, count: int, unit: str) -> RelativeTime:
        """The time that lies `count` units later, or earlier if it is negative.

        Days and weeks from the beginning of a day lead to the beginning of another day, also where the clocks change
        in between. Everything else is counted in hours of 60 minutes.

        Args:
            count: how many.
            unit: one of `s`, `m`, `h`, `d`, `w`.

        Raises:
            QueryError: if it lies outside the years 1 to 9999.
        """
        words = None if self.words is None else f"{self.words} {count:+}{unit}"
        try:
            length = timedelta(**{UNITS[unit]: count})
            if self.day is None or unit not in _WHOLE_DAYS:
                return RelativeTime(self.moment.astimezone(UTC) + length, words)
            day = self.day + length
        except OverflowError:
            raise QueryError(_OUT_OF_RANGE) from None
        return RelativeTime(_midnight(day, self.moment.tzinfo or UTC), words, day)

    def value_for(self, attribute: str) -> datetime | date:
        """What the attribute of that name is compared with: custom fields hold days as days."""
        return self.moment if self.day is None or custom_key(attribute) is None else self.day


def as_written(where: Predicate) -> list[object]:
    """Write an expression down so that it is equal to itself tomorrow, though its relative times have moved by then.

    Args:
        where: the expression.

    Returns:
        Its nodes, each behind those below it, as plain data for JSON. Relative times are there in words.
    """
    nodes: list[object] = []
    fold_nodes(where, lambda node, _: nodes.append(_node_as_written(node)))
    return nodes


def _node_as_written(node: Predicate) -> list[object]:
    if not isinstance(node, Comparison):
        return [type(node).__name__, len(node.parts)]
    value = node.value if node.relative is None else {"relative": node.relative}
    return [node.attribute, node.operator, value]


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
