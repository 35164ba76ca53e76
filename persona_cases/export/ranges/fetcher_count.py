"""`FetcherCount`: how many fetchers an export needs for its work, and how many the rate limit allows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import attrs

from persona_cases.transport.limits.limiter import LimiterState

MOST_FETCHERS: Final = 40

# With fewer pages for each fetcher, too many requests return pages that are not full.
PAGES_PER_FETCHER: Final = 5
# Before densities are known, ranges are cut badly, so not all of them are cut at once; but what seems to be little work
# may be much, if it lies somewhere in the middle.
_MOST_AT_FIRST: Final = 12
_WORTH_AT_FIRST: Final = 0.4
# Pages that each fetcher has to receive before there is one more again.
_PAGES_UNTIL_MORE: Final = 8
# A fetcher that only just keeps up with the limit falls behind when a page takes longer.
_AHEAD: Final = 1.2
# By how much more than it seems there may be left. One request too many costs a whole window.
_MORE_THAN_IT_SEEMS: Final = 1.05
# From so many windows on, there is time to find out later where the cases end.
_MANY_WINDOWS: Final = 3

WORTH_WAITING: Final = 0.002
"""Each time that a fetcher waits this long for a page, in seconds, makes another fetcher worth having. Its own work for
a page takes about a fifth of that: where pages come faster, more fetchers would only wait for the processor."""


@attrs.frozen(kw_only=True)
class Stopwatch:
    """Measures how long a page took, and how much of that was work.

    Attributes:
        wall: the time, in seconds.
        busy: the processor time of this thread, in seconds.
        now: the seconds since 1970, which only estimates depend on.
    """

    wall: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    busy: Callable[[], float] = time.thread_time


@attrs.define(kw_only=True)
class FetcherCount:
    """The number of fetchers: it grows with the work, and shrinks when the server fails under the load.

    When a request fails that was sent under the present number, the number is halved. If no page came since it was last
    lowered, it becomes one. Pages that arrive raise it again, one at a time. If the only fetcher fails, the server is
    at fault.

    Attributes:
        most: how many there may be.
        worth: how many pages another one is worth.
        worth_waiting: for how many seconds of waiting per page another one is worth having; 0 if waiting does not
            decide.
        size: how many there should be.
        latency: the fewest seconds that a page took.
        waiting: the fewest of them that were not spent working.
        period: the most seconds that a window of the rate limit was seen to have left.
        ceiling: how many the server was found to bear.
        epoch: how often the number was lowered.
        calm: how many pages came since the ceiling was last changed.
    """

    most: int = MOST_FETCHERS
    worth: float = PAGES_PER_FETCHER
    worth_waiting: float = WORTH_WAITING
    size: int = 1
    latency: float = math.inf
    waiting: float = math.inf
    period: float = 1.0
    ceiling: int = attrs.field(init=False)
    epoch: int = attrs.field(default=0, init=False)
    calm: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.ceiling = self.most

    def observe(self, seconds: float, busy: float) -> None:
        """Take in how long a page took, and for how much of that the processor worked on anything here."""
        self.latency = min(self.latency, seconds)
        self.waiting = min(self.waiting, seconds - busy)
        self.calm += 1
        if self.ceiling < self.most and self.calm >= _PAGES_UNTIL_MORE * self.ceiling:
            self.ceiling, self.calm = self.ceiling + 1, 0

    def back_off(self, epoch: int) -> bool:
        """Learn that a request got no response in time; return whether fewer fetchers may get one.

        Args:
            epoch: the epoch in which it was sent.
        """
        if epoch != self.epoch:
            # It was sent when there were more, which is answered already.
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
        """Review whether there should be more; the arguments are those of `wanted`."""
        self.size = max(self.size, self.wanted(pages_left, parts, limit, first=first))

    def make_room(self, pages_left: float, limit: LimiterState | None) -> None:
        """Lower the number if the rate limit has no room for it: wrong guesses cost requests that the window can spare.

        Args:
            pages_left: how many pages there seem to be left.
            limit: what is known of the rate limit; None if there is none.
        """
        self.size = max(1, min(self.size, self._fed(pages_left, limit)))

    def wanted(self, pages_left: float, parts: int, limit: LimiterState | None, *, first: bool) -> int:
        """Return how many the work is worth, and the rate limit can feed.

        Args:
            pages_left: how many pages there seem to be left.
            parts: how many ranges of `worth` pages that is.
            limit: what is known of the rate limit; None if there is none.
            first: whether this is decided before anything is known of what lies between the ends.
        """
        worth = min(_MOST_AT_FIRST, math.ceil(pages_left / (self.worth * _WORTH_AT_FIRST))) if first else parts
        return max(1, min(worth, self.ceiling, self._kept_waiting(), self._fed(pages_left, limit)))

    def _kept_waiting(self) -> int:
        """Return how many fetchers can run while others wait."""
        if not self.worth_waiting:
            return self.most
        return max(1, int(min(self.most, self.waiting / self.worth_waiting)))

    def _fed(self, pages_left: float, limit: LimiterState | None) -> int:
        """Return how many fetchers the rate limit feeds: in a window that is not the last, as few as use it up.

        Each fetcher more may cost a request, so the last window takes as many as it has room for beside the pages.
        """
        if limit is None or math.isinf(self.latency):
            return self.most
        room = limit.remaining - math.ceil(pages_left * _MORE_THAN_IT_SEEMS)
        return max(self._keeping_up(limit), room)

    def _keeping_up(self, limit: LimiterState) -> int:
        """Return how many fetchers use up a window of the rate limit in its time."""
        self.period = max(self.period, limit.resets_in or 0.0)
        return math.ceil(_AHEAD * self.latency * limit.limit / self.period)


def spans_windows(pages_left: float, limit: LimiterState | None) -> bool:
    """Return whether work takes several windows of the rate limit, for sure.

    Args:
        pages_left: how many pages there seem to be left.
        limit: what is known of the rate limit; None if there is none.
    """
    return limit is not None and pages_left > _MANY_WINDOWS * limit.limit
