"""What one process may send on its own, while it cannot hear from the others.

Every process takes an equal part of each window: of what the first answer in the window says is left, and never more
than its part of the whole. So the parts together stay within the limit, wherever in the window the processes lost each
other, and however unevenly they had used it until then.
"""

from __future__ import annotations

import math
from collections import deque

import attrs

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow


@attrs.define
class Share:
    """One process's part of the rate limit.

    Attributes:
        processes: into how many parts the limit is divided.
        window: what is known of the vendor's window; of the requests in flight it has only this process's.
        allowance: how many requests this process may send in the current window.
        used: how many of them it has sent.
        opened: whether the current window has begun, as far as is known.
        since: when the limit was divided. Answers to earlier requests do not count what the others had in flight.
        most: the largest part of the current window that an answer can leave to this process.
        told: whether an answer has told how much the current window had left.
        ended: when the requests departed that have ended, for as long as they may count.
    """

    processes: int
    window: RateWindow
    allowance: int
    used: int
    opened: bool
    since: float
    most: int = 0
    told: bool = False
    ended: deque[float] = attrs.field(factory=deque[float])

    @classmethod
    def of(cls, known: RateWindow, processes: int, in_flight: int, now: float) -> Share:
        """Divide a window.

        Args:
            known: the window, as last known; it is taken over.
            processes: into how many parts.
            in_flight: how many requests this process has in flight.
            now: the time.
        """
        known.advance(now)
        remaining, known.in_flight = known.remaining, in_flight
        share = cls(processes, known, 0, in_flight, opened=known.seconds_left(now) is not None, since=now)
        share.most = in_flight + remaining // processes if share.opened else share.part
        # The others may have used more since. If anything was left, a single request asks how much still is.
        share.allowance = min(share.most, in_flight + 1)
        return share

    @property
    def part(self) -> int:
        """Requests a window for this process."""
        return max(1, (self.window.limit - self.window.reserve) // self.processes)

    @property
    def remaining(self) -> int:
        """How many more requests this process may send in the current window, as far as is known."""
        return max(0, min(self.window.remaining, self.allowance - self.used))

    def delay(self, now: float) -> float:
        """Return the seconds until a request may leave; see `RateWindow.delay`."""
        self.window.advance(now)
        delay = self.window.delay(now)
        left = self.window.seconds_left(now)
        if left is None and self.opened:
            self._renew()
        if delay > 0 or self.used < self.allowance:
            return delay
        return math.inf if left is None else left

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.window.depart(now)
        self.used += 1

    def end(self, now: float, departed: float, feedback: Feedback) -> None:
        """Take in how a request ended."""
        before = self.window.seconds_left(now)
        self.window.settle(now, departed, feedback)
        if not feedback.sent:
            self.used -= 1
            return
        self._forget(now)
        self.ended.append(departed)
        after = self.window.seconds_left(now)
        # What is known of a window's end shifts a little with every answer, which tells whole seconds; a jump is the
        # next window's.
        if before is not None and after is not None and after > before + self.window.period / 2 + 1:
            self._renew()
            self.used += 1
        self.opened = after is not None
        if not self.told and departed >= self.since and feedback.reading is not None:
            self._divide(feedback.reading)

    def uncounted(self, now: float) -> int:
        """Return how many requests were sent and have ended that may count in the vendor's current window."""
        self._forget(now)
        return len(self.ended)

    def _divide(self, reading: WindowReading) -> None:
        self.told = True
        ended = self.used - self.window.in_flight
        left = max(0, reading.remaining - self.window.reserve)
        self.allowance = min(self.part, self.most, ended + left // self.processes)

    def _renew(self) -> None:
        self.opened = self.told = False
        self.allowance = self.most = self.part
        self.used = self.window.in_flight

    def _forget(self, now: float) -> None:
        while self.ended and self.ended[0] < now - self.window.period:
            self.ended.popleft()
