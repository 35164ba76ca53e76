"""`TimeRange`: a range of creation time, for one fetcher or one machine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self, cast

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.decoding.raw_page import moment_of, time_of
from persona_cases.query import Predicate, Q
from persona_cases.query.entry import as_predicate
from persona_cases.surface import publish

__all__ = ["TimeRange"]

_FIRST: Final = moment_of(datetime.min.replace(tzinfo=UTC))
_LAST: Final = moment_of(datetime.max.replace(tzinfo=UTC))
_SHAPE: Final = 'a range of time in JSON is {"low": ..., "high": ...}'


def _check(_range: object, bound: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidArgumentError(f"{bound.name}: give whole milliseconds since 1970, or None for no bound")
    if not _FIRST <= value <= _LAST:
        raise InvalidArgumentError(f"{bound.name}: give milliseconds since 1970 of a year from 1 to 9999")


@attrs.frozen(repr=False)
class TimeRange:
    """A half-open range `[low, high)` of creation time, in whole milliseconds since 1970.

    The bounds are whole milliseconds, so all cases of one creation time are in one range, even if the API keeps more
    precise times.

    A range is a plain value that other processes can use: it pickles, hashes, compares, and converts to JSON and back.

    Attributes:
        low: the first moment; None for the beginning of time.
        high: the first moment after the range; None for the end of time.

    Raises:
        InvalidArgumentError: if a bound is not a moment, or the range is empty.
    """

    low: int | None = attrs.field(default=None, validator=_check)
    high: int | None = attrs.field(default=None, validator=_check)

    def __attrs_post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InvalidArgumentError("a range of time ends after it begins")

    def __contains__(self, moment: int) -> bool:
        return (self.low is None or self.low <= moment) and (self.high is None or moment < self.high)

    def __repr__(self) -> str:
        bounds = [
            *([] if self.low is None else [f"from {_written(self.low)}"]),
            *([] if self.high is None else [f"before {_written(self.high)}"]),
        ]
        return f"<TimeRange {' '.join(bounds) or 'of all time'}>"

    def cut(self, moment: int) -> tuple[TimeRange, TimeRange]:
        """Split the range at a timestamp, with which the second part begins.

        Args:
            moment: the timestamp, in milliseconds since 1970.

        Returns:
            The two parts.

        Raises:
            InvalidArgumentError: if one part would be empty.
        """
        return TimeRange(self.low, moment), TimeRange(moment, self.high)

    def turned(self) -> TimeRange:
        """Return the range with negated milliseconds, for time that runs in the opposite direction."""
        return TimeRange(None if self.high is None else 1 - self.high, None if self.low is None else 1 - self.low)

    def narrow(self, where: Predicate | None = None) -> Predicate | None:
        """Return the expression for the cases of another expression in this range.

        Args:
            where: the other expression; None means all cases.

        Returns:
            The expression; None, which means all cases, if there is neither a bound nor another expression.

        Raises:
            QueryTypeError: if `where` is not an expression of `Q`.
        """
        parts = [
            *([] if where is None else [as_predicate(where)]),
            *([] if self.low is None else [Q.created_at.gte(time_of(self.low))]),
            *([] if self.high is None else [Q.created_at.lt(time_of(self.high))]),
        ]
        return Q.all_of(parts) if len(parts) > 1 else next(iter(parts), None)

    def to_dict(self) -> dict[str, int | None]:
        """Return the range as plain data for JSON: `{"low": 1735689600000, "high": null}`."""
        return {"low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """Read a range from the data that `to_dict` returned.

        Args:
            document: the data.

        Returns:
            The range.

        Raises:
            InvalidArgumentError: if `document` is not a range; the message says why.
        """
        if not isinstance(document, Mapping):
            raise InvalidArgumentError(f"{_SHAPE}, not {type(document).__name__}")
        bounds = dict(cast("Mapping[str, Any]", document))
        if bounds.keys() != {"low", "high"}:
            raise InvalidArgumentError(f"{_SHAPE}, with both of them and nothing else")
        return cls(**bounds)


def _written(moment: int) -> str:
    return time_of(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


publish("persona_cases.export", TimeRange)
