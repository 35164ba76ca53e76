"""What one process may send on its own, while it cannot hear from the others.

Every process takes an equal part of each window: of what the first response in the window says is left, and never more
than its part of the whole. So the parts together stay within the limit, wherever in the window the processes lost each
other, and however unevenly they had used it until then.
"""

from __future__ import annotations

import math
from collections import deque

import attrs

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.transport.limits.limiter import LimiterState
from persona_cases.transport.limits.redis.redis_messages import Known, milliseconds


@attrs.define
class Share:
    """One process's part of the rate limit.

    Attributes:
        processes: into how many parts the limit is divided.
        window: what is known of the vendor's window; of the requests in flight it has only this process's.
        since: when the limit was divided. Responses to earlier requests do not count what others had in flight.
        allowance: how many requests this process may send in the current window.
        most: the largest allowance that a response can leave to it.
        used: how many it has sent.
        opened: whether the current window has begun, as far as is known.
        told: whether a response has told how much the current window had left.
        ended: when the requests departed that have ended, for as long as they may count.
    """

    processes: int
    window: RateWindow
    since: float
    allowance: int = 0
    most: int = 0
    used: int = 0
    opened: bool = False
    told: bool = False
    ended: deque[float] = attrs.field(factory=deque[float])

    @classmethod
    def of(cls, known: Known, window: RateWindow, in_flight: int, now: float) -> Share:
        """Divide a window.

        Args:
            known: what was known of it when Redis was lost.
            window: a window of which nothing is known, which is taken over.
            in_flight: how many requests this process has in flight.
            now: the time.
        """
        window.limit, window.cool_until = known.limit, now + known.cooling / 1000
        share = cls(known.processes, window, now, used=in_flight, opened=known.ends_in is not None)
        if known.ends_in is not None:
            # As a response would tell it whose whole seconds make the window end no earlier.
            reset = max(0, math.ceil(known.ends_in / 1000) - 1)
            reading = WindowReading(known.limit, min(known.limit, max(0, known.left)), reset)
            window.depart(now)
            window.settle(now, now, Feedback(reading=reading, answered=True))
        window.in_flight = in_flight
        share.most = in_flight + window.remaining // known.processes if share.opened else share.part
        # The others may have used more since. If anything was left, a single request asks how much still is.
        share.allowance = min(share.most, in_flight + 1)
        return share

    @property
    def part(self) -> int:
        """Requests per window for this process."""
        return max(1, (self.window.limit - self.window.reserve) // self.processes)

    def state(self, now: float, waiting: int) -> LimiterState:
        """Return what limiters report."""
        remaining = max(0, min(self.window.remaining, self.allowance - self.used))
        return attrs.evolve(
            LimiterState.of(self.window, now, waiting=waiting), limit=self.part, remaining=remaining, shared=False
        )

    def known(self, now: float) -> Known:
        """Return what to tell Redis when it is back."""
        ends_in = self.window.seconds_left(now)
        return Known(
            processes=self.processes,
            limit=self.window.limit,
            left=min(self.window.limit, self.window.remaining + self.window.in_flight + self.window.reserve),
            cooling=milliseconds(self.window.cooling_for(now)),
            ends_in=None if ends_in is None else milliseconds(ends_in),
        )

    def unseen(self, now: float) -> int:
        """Return how many requests were sent and have ended that may count in the vendor's current window."""
        while self.ended and self.ended[0] < now - self.window.period:
            self.ended.popleft()
        return len(self.ended)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may leave; see `RateWindow.delay`."""
        self.window.advance(now)
        delay, left = self.window.delay(now), self.window.seconds_left(now)
        if left is None and self.opened:
            self._renew(0)
        if delay > 0 or self.used < self.allowance:
            return delay
        return math.inf if left is None else left

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.window.depart(now)
        self.used += 1

    def settle(self, now: float, departed: float, feedback: Feedback) -> None:
        """Take in how a request ended."""
        before = self.window.seconds_left(now)
        self.window.settle(now, departed, feedback)
        if not feedback.sent:
            self.used -= 1
            return
        self.ended.append(departed)
        after = self.window.seconds_left(now)
        # What is known of a window's end shifts a little with every response, which tells whole seconds; a jump is the
        # next window's.
        if before is not None and after is not None and after > before + self.window.period / 2 + 1:
            self._renew(1)
        self.opened = after is not None
        if not self.told and departed >= self.since and feedback.reading is not None:
            self.told = True
            ended = self.used - self.window.in_flight
            left = max(0, feedback.reading.remaining - self.window.reserve)
            self.allowance = min(self.part, self.most, ended + left // self.processes)

    def _renew(self, ended: int) -> None:
        self.opened = self.told = False
        self.allowance = self.most = self.part
        self.used = self.window.in_flight + ended
