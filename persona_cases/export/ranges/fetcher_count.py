"""`FetcherCount`: how many fetchers an export needs, and how many the rate limit allows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import msgspec

from persona_cases.transport.limits.limiter import LimiterState

MOST_FETCHERS: Final = 40

# With fewer pages per fetcher, too many requests return pages that are not full.
PAGES_PER_FETCHER: Final = 5
# Before densities are known, ranges are cut badly, so not all of them are cut at once; but what seems to be little work
# may be much, if it lies somewhere in the middle.
_MOST_AT_FIRST: Final = 12
_WORTH_AT_FIRST: Final = 0.4
# Pages that each fetcher must receive before the number increases again.
_PAGES_UNTIL_MORE: Final = 8
# A fetcher that only just keeps up with the limit falls behind when a page takes longer.
_AHEAD: Final = 1.2
# By how much the pages left may exceed the estimate. One request too many costs a whole window.
_MORE_THAN_IT_SEEMS: Final = 1.05
# From this many windows on, there is time to find the end of the cases later.
_MANY_WINDOWS: Final = 3

WORTH_WAITING: Final = 0.002
"""Each time that a fetcher waits this long for a page, in seconds, makes another fetcher worth having. Its own work for
a page takes about a fifth of that: where pages come faster, more fetchers would only wait for the processor."""


class Stopwatch(msgspec.Struct, frozen=True, kw_only=True):
    """Measures how long a page took, and how much of that was work.

    Attributes:
        wall: returns the elapsed time, in seconds.
        busy: returns the processor time of this thread, in seconds.
        now: returns the seconds since 1970, used only for estimates.
    """

    wall: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    busy: Callable[[], float] = time.thread_time

    def read(self) -> tuple[float, float]:
        """Return the elapsed time and the processor time."""
        return self.wall(), self.busy()

    def since(self, began: tuple[float, float]) -> tuple[float, float]:
        """Return how much of both has passed since a reading."""
        return self.wall() - began[0], self.busy() - began[1]


class FetcherCount(msgspec.Struct, kw_only=True):
    """The number of fetchers: it grows with the work, and shrinks when the server fails under the load.

    If a request fails that was sent under the current number, the number is halved. If no page has arrived since it was
    last lowered, it becomes one. Pages that arrive raise it again, one at a time. If the only fetcher fails, the server
    is at fault.

    Attributes:
        most: maximum number of fetchers.
        worth: number of pages that make another fetcher worthwhile.
        worth_waiting: seconds of waiting per page that make another fetcher worthwhile; 0 if waiting does not count.
        size: the current number of fetchers.
        latency: the shortest time that a page took, in seconds.
        waiting: the shortest part of it that was spent waiting, in seconds.
        period: the longest remaining time of a rate limit window seen so far, in seconds.
        ceiling: the number of fetchers that the server can bear, as far as known.
        epoch: how often the number was lowered.
        calm: number of pages since the ceiling last changed.
        settled: whether one fetcher remains enough, whatever comes: the shortest wait only becomes shorter.
    """

    most: int = MOST_FETCHERS
    worth: float = PAGES_PER_FETCHER
    worth_waiting: float = WORTH_WAITING
    size: int = 1
    latency: float = math.inf
    waiting: float = math.inf
    period: float = 1.0
    ceiling: int = MOST_FETCHERS
    epoch: int = 0
    calm: int = 0
    settled: bool = False

    def __post_init__(self) -> None:
        self.ceiling = self.most

    def observe(self, seconds: float, busy: float) -> None:
        """Record how long a page took, and how much of that this thread spent working."""
        self.latency = min(self.latency, seconds)
        self.waiting = min(self.waiting, seconds - busy)
        self.calm += 1
        if self.ceiling < self.most and self.calm >= _PAGES_UNTIL_MORE * self.ceiling:
            self.ceiling, self.calm = self.ceiling + 1, 0
        self.settled = self.size == 1 and self._kept_waiting() == 1

    def back_off(self, epoch: int) -> bool:
        """Record that a request timed out or failed; return whether to try again with fewer fetchers.

        Args:
            epoch: the epoch in which it was sent.
        """
        if epoch != self.epoch:
            # The request was sent under a higher number, which has already been lowered.
            return True
        if self.size == 1:
            return False
        self.size = self.ceiling = self.size // 2 if self.calm else 1
        self.epoch, self.calm = self.epoch + 1, 0
        return True

    def rejoin(self, unfinished: int) -> None:
        """Resume an export that had this many unfinished ranges."""
        self.size = max(self.size, min(self.ceiling, unfinished))

    @property
    def may_grow(self) -> bool:
        """Whether more can run while others wait, whatever there is to do."""
        return self.size < min(self.ceiling, self._kept_waiting())

    def grow(self, pages_left: float, parts: int, limit: LimiterState | None, *, first: bool) -> None:
        """Raise the number if useful; the arguments are those of `wanted`."""
        self.size = max(self.size, self.wanted(pages_left, parts, limit, first=first))

    def make_room(self, pages_left: float, limit: LimiterState | None) -> None:
        """Lower the number if the rate limit has no room for it, because wrong guesses cost requests.

        Args:
            pages_left: the estimated number of pages left.
            limit: the state of the rate limit; None if there is none.
        """
        self.size = max(1, min(self.size, self._fed(pages_left, limit)))

    def wanted(self, pages_left: float, parts: int, limit: LimiterState | None, *, first: bool) -> int:
        """Return how many fetchers are worthwhile for the work, and can be fed by the rate limit.

        Args:
            pages_left: the estimated number of pages left.
            parts: how many ranges of `worth` pages that is.
            limit: the state of the rate limit; None if there is none.
            first: whether nothing is known yet about the time between the ends.
        """
        worth = min(_MOST_AT_FIRST, math.ceil(pages_left / (self.worth * _WORTH_AT_FIRST))) if first else parts
        return max(1, min(worth, self.ceiling, self._kept_waiting(), self._fed(pages_left, limit)))

    def _kept_waiting(self) -> int:
        """Return how many fetchers can run while others wait."""
        if not self.worth_waiting:
            return self.most
        return max(1, int(min(self.most, self.waiting / self.worth_waiting)))

    def _fed(self, pages_left: float, limit: LimiterState | None) -> int:
        """Return how many fetchers the rate limit feeds: in a window that is not the last, as few as exhaust it.

        Each additional fetcher may cost a request, so the last window takes as many as it has room for besides the
        pages.
        """
        if limit is None or math.isinf(self.latency):
            return self.most
        room = limit.remaining - math.ceil(pages_left * _MORE_THAN_IT_SEEMS)
        return max(self._keeping_up(limit), room)

    def _keeping_up(self, limit: LimiterState) -> int:
        """Return how many fetchers exhaust a window of the rate limit before it ends."""
        self.period = max(self.period, limit.resets_in or 0.0)
        return math.ceil(_AHEAD * self.latency * limit.limit / self.period)


def spans_windows(pages_left: float, limit: LimiterState | None) -> bool:
    """Return whether the work certainly takes several windows of the rate limit.

    Args:
        pages_left: the estimated number of pages left.
        limit: the state of the rate limit; None if there is none.
    """
    return limit is not None and pages_left > _MANY_WINDOWS * limit.limit
