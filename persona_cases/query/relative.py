"""Relative times: `now() - 7d`, `today()`, and the bounds of `in_last` and `in_next`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.name_prefixes import custom_key
from persona_cases.query.nodes import Comparison, Predicate, fold_nodes

__all__ = ["UNITS", "RelativeTime", "as_written", "current_time", "moment_of", "shifted", "span_of"]

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WHOLE_DAYS: Final = frozenset({"d", "w"})

_OUT_OF_RANGE: Final = "this time lies outside the years 1 to 9999"


def current_time() -> datetime:
    """Return the time of the call: the one clock of the pure rooms."""
    return datetime.now(UTC)


def moment_of(asking: str, now: object) -> datetime:
    """Return the caller's `now` in UTC, or the time of the call if it is None."""
    if now is None:
        return current_time()
    if not isinstance(now, datetime):
        raise QueryTypeError(f"{asking}: now must be an aware datetime, not {type(now).__name__}")
    try:
        # In UTC an hour is always an hour long.
        moment = now.astimezone(UTC) if now.utcoffset() is not None else None
    except (OverflowError, ValueError, TypeError, NotImplementedError):
        raise QueryError(f"{asking}: now is not a time in the years 1 to 9999") from None
    if moment is None:
        raise QueryError(f"{asking}: now must not be naive: give it a zone, such as datetime(..., tzinfo=UTC)")
    return moment


def span_of(asking: str, span: object, **parts: float) -> timedelta:
    """Return the length of a span given as a timedelta, by keywords, or both."""
    if span is not None and not isinstance(span, timedelta):
        raise QueryTypeError(f"{asking} takes a timedelta, or keywords such as {asking}(days=7)")
    try:
        length = timedelta(**parts) + (span or timedelta())
    except TypeError:
        raise QueryTypeError(f"{asking} takes numbers, such as {asking}(days=7)") from None
    except (OverflowError, ValueError):
        raise QueryError(f"{asking}: the span is out of range") from None
    if not length > timedelta():
        raise QueryError(f"{asking} needs a span, such as {asking}(days=7); it must be positive")
    return length


def shifted(asking: str, moment: datetime, length: timedelta, *, back: bool = False) -> datetime:
    """Return the time `length` after another one, or before it."""
    try:
        return moment - length if back else moment + length
    except OverflowError:
        raise QueryError(f"{asking}: the span is out of range") from None


class RelativeTime:
    """A time relative to now.

    Attributes:
        moment: the time itself, aware.
        words: the relative form, which means another time tomorrow; None if the caller fixed `now`.
        day: the day that begins at that time, if the caller asked for a day.
    """

    def __init__(self, moment: datetime, words: str | None, day: date | None = None) -> None:
        self.moment = moment
        self.words = words
        self.day = day

    @classmethod
    def day_of(cls, now: datetime, zone: tzinfo, *, words: str | None) -> RelativeTime:
        """Return the day that contains `now` in a time zone."""
        try:
            day = now.astimezone(zone).date()
        except OverflowError:
            raise QueryError(_OUT_OF_RANGE) from None
        return cls(_midnight(day, zone), words, day)

    def shifted(self, count: int, unit: str) -> RelativeTime:
        """Return the time `count` units of `s`, `m`, `h`, `d` or `w` later, or earlier if negative.

        Days and weeks from the start of a day lead to the start of another day, even if the clocks change in between.
        Otherwise a day is 24 hours.
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
        """Return the value to compare with an attribute: a day for a custom field, or else a time."""
        return self.moment if self.day is None or custom_key(attribute) is None else self.day


def as_written(where: Predicate) -> list[object]:
    """Return the nodes of an expression as plain JSON data in postfix order, with relative times as written.

    So the same expression gives the same data tomorrow, when its relative times have moved.
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
