"""An estimate of the time that an export still takes: pure."""

from __future__ import annotations

import math
from typing import Final

import attrs

from persona_cases.export.progress import ExportProgress
from persona_cases.paging import LARGEST_PAGE
from persona_cases.transport.limits.allowance import DOCUMENTED_PERIOD, Allowance, seconds_needed
from persona_cases.transport.limits.limiter import LimiterState

__all__ = ["Estimate"]

# The API reports whole seconds, so a window that ends at once lasts one second at least.
_SHORTEST_PERIOD: Final = 1.0
# A new window has begun if the end moves by more than this many seconds: the API reports whole seconds.
_NOT_THE_SAME_END: Final = 0.5
# The pages and seconds needed before there is a speed.
_FEWEST_PAGES, _SHORTEST_TIME = 5, 0.2
# Seconds after which an old speed or estimate counts for about a third.
_MEMORY_OF_SPEED, _MEMORY_OF_ESTIMATES = 10.0, 5.0
# An estimate that is overdue by this many seconds is dropped.
_LONGEST_DELAY: Final = 5.0


@attrs.frozen
class _Moment:
    now: float
    pages: int
    blocked_for: float
    resets_in: float | None


class Estimate:
    """An estimate of the speed and the end of an export. It has no clock: all times are seconds of a monotonic clock.

    Args:
        limit: the maximum number of cases, if known.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._began: tuple[float, int] | None = None
        self._cases = 0
        self._last: _Moment | None = None
        # Both fade, so their quotient is the recent speed.
        self._pages = self._busy = 0.0
        self._seen = 0
        self._longest: float | None = None
        self._ends_at: float | None = None

    def observe(self, now: float, done: ExportProgress, state: LimiterState) -> None:
        """Take in the progress of the export and the state of the limiter."""
        self._cases = done.cases
        if self._began is None:
            self._began = now, done.cases
        last, self._last = self._last, _moment(now, done, state)
        if last is not None:
            self._learn_period(last, self._last)
            self._learn_speed(last, self._last)
        left, speed = self._pages_left(done), self._speed
        if left is None or (speed is None and left > 0):
            self._ends_at = None
            return
        needed = 0.0 if speed is None else seconds_needed(left, speed, Allowance.of(state, self._period))
        if self._ends_at is None or last is None or left == 0:
            self._ends_at = now + needed
        else:
            self._ends_at += (now + needed - self._ends_at) * (1 - math.exp((last.now - now) / _MEMORY_OF_ESTIMATES))

    def rate(self, now: float) -> float | None:
        """Return the cases per second of this run; None if it is too early to say."""
        if self._began is None or now - self._began[0] < _SHORTEST_TIME:
            return None
        return (self._cases - self._began[1]) / (now - self._began[0])

    def time_left(self, now: float) -> float | None:
        """Return the seconds until the last page; None if unknown."""
        if self._ends_at is None or now > self._ends_at + _LONGEST_DELAY:
            return None
        return max(0.0, self._ends_at - now)

    @property
    def _speed(self) -> float | None:
        if self._seen < _FEWEST_PAGES or self._busy < _SHORTEST_TIME:
            return None
        return self._pages / self._busy

    @property
    def _period(self) -> float:
        return DOCUMENTED_PERIOD if self._longest is None else self._longest

    def _pages_left(self, done: ExportProgress) -> float | None:
        if done.pages_left == 0 and done.files:
            # An unknown number of files is still to come.
            return None
        if done.pages_left is not None or self._limit is None:
            return done.pages_left
        return max(0, self._limit - done.cases) / LARGEST_PAGE

    def _learn_period(self, last: _Moment, this: _Moment) -> None:
        if last.resets_in is None or this.resets_in is None:
            return
        has_begun = this.resets_in > last.resets_in - (this.now - last.now) + _NOT_THE_SAME_END
        if has_begun and self._longest is None:
            # The earlier estimate assumed another period.
            self._ends_at = None
        if has_begun or self._longest is not None:
            self._longest = max(this.resets_in, self._longest or _SHORTEST_PERIOD)

    def _learn_speed(self, last: _Moment, this: _Moment) -> None:
        busy = max(0.0, this.now - last.now - last.blocked_for)
        fading, fetched = math.exp(-busy / _MEMORY_OF_SPEED), max(0, this.pages - last.pages)
        self._seen += fetched
        self._pages = self._pages * fading + fetched
        self._busy = self._busy * fading + busy


def _moment(now: float, done: ExportProgress, state: LimiterState) -> _Moment:
    used_up = state.resets_in if state.remaining == 0 else None
    return _Moment(now, done.pages, max(state.cooling_for, used_up or 0.0), state.resets_in)
