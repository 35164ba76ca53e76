"""How many walkers an export needs: as many as the work is worth, and not more than the rate limit can feed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import attrs

from persona_cases.transport.limits.limiter import LimiterState

MOST_WALKERS: Final = 40

# What one walker is worth: with fewer pages each, too many requests bring pages that are not full.
PAGES_A_WALKER: Final = 5
# Before densities are known, ranges are cut badly, so not all of them are cut at once; but what seems to be little work
# may be much, if it lies somewhere in the middle.
_MOST_AT_FIRST: Final = 12
_WORTH_AT_FIRST: Final = 0.4
# So many pages of each walker have to come until there is one more again.
_PAGES_UNTIL_MORE: Final = 8
# A walker that waits for its turn is not walking.
_MARGIN: Final = 3

WORTH_WAITING: Final = 0.002
"""Each time that a walker waits this long for a page, in seconds, makes another walker worth having. Its own work for a
page takes about a fifth of that: where pages come faster, more walkers would only wait for the processor."""


@attrs.frozen(kw_only=True)
class Stopwatch:
    """Measures how long a page took, and how much of that was work.

    Attributes:
        wall: the time, in seconds.
        busy: the processor time of this thread, in seconds.
    """

    wall: Callable[[], float] = time.monotonic
    busy: Callable[[], float] = time.thread_time


@attrs.define(kw_only=True)
class Crew:
    """The number of walkers: it grows with the work, and shrinks when a server fails under it.

    When a request fails that was sent under the present number, the number is halved; if no page came since it was
    last lowered, one walker is left. Pages that come raise the number again, one at a time. A failure of the only
    walker is one of the server.

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

    most: int = MOST_WALKERS
    worth: float = PAGES_A_WALKER
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
        """Take in that a request got no answer in time; return whether fewer walkers may get one.

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
        """Take up an export again that had so many ranges under way."""
        self.size = max(self.size, min(self.ceiling, unfinished))

    def grow(self, pages_left: float, parts: int, limit: LimiterState | None, *, first: bool) -> None:
        """Decide anew how many there should be.

        Args:
            pages_left: how many pages there seem to be left.
            parts: how many parts of `worth` pages that is.
            limit: what is known of the rate limit; None if there is none.
            first: whether this is decided before anything is known of what lies between the ends.
        """
        worth = min(_MOST_AT_FIRST, math.ceil(pages_left / (self.worth * _WORTH_AT_FIRST))) if first else parts
        worth = min(worth, self.ceiling, self._kept_waiting())
        self.size = max(self.size, min(worth, self._fed(pages_left + worth, limit)))

    def _kept_waiting(self) -> int:
        """Return how many walkers find time to walk while others wait."""
        if not self.worth_waiting:
            return self.most
        return max(1, int(min(self.most, self.waiting / self.worth_waiting)))

    def _fed(self, requests: float, limit: LimiterState | None) -> int:
        """Return how many walkers the rate limit can feed."""
        if limit is None:
            return self.most
        self.period = max(self.period, limit.resets_in or 0.0)
        if requests <= limit.remaining:
            return self.most
        return math.ceil(_MARGIN * self.latency * limit.limit / self.period) + 1
