"""The share of one process while it cannot communicate with the others.

Every process takes an equal share of each window: of the budget that the first response in the window reports, but
never more than its share of the limit. So all shares together stay within the limit, wherever in the window the
processes lost contact, and however unevenly they had used it until then.
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
    """One process's share of the rate limit.

    Attributes:
        processes: the number of shares.
        window: the model of the vendor's window, which counts only this process's requests in flight.
        since: when the limit was divided. Responses to earlier requests do not include what others had in flight.
        allowance: how many requests this process may send in the current window.
        most: the largest allowance that a response can grant.
        used: how many requests it has sent.
        opened: whether the current window has begun, as far as known.
        told: whether a response has reported the budget of the current window.
        ended: when the finished requests departed, for as long as they may count.
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
        """Take this process's share of a window.

        Args:
            known: the knowledge of the window when Redis was lost.
            window: a window about which nothing is known; the share keeps it.
            in_flight: how many requests this process has in flight.
            now: the time.
        """
        window.limit, window.cool_until = known.limit, now + known.cooling / 1000
        share = cls(known.processes, window, now, used=in_flight, opened=known.ends_in is not None)
        if known.ends_in is not None:
            # The report that a response would make, in whole seconds that do not end the window early.
            reset = max(0, math.ceil(known.ends_in / 1000) - 1)
            reading = WindowReading(known.limit, min(known.limit, max(0, known.left)), reset)
            window.depart(now)
            window.settle(now, now, Feedback(reading=reading, answered=True))
        window.in_flight = in_flight
        share.most = in_flight + window.remaining // known.processes if share.opened else share.part
        # Others may have used more since. If anything was left, one request finds out how much still is.
        share.allowance = min(share.most, in_flight + 1)
        return share

    @property
    def part(self) -> int:
        """Requests per window for this process."""
        return max(1, (self.window.limit - self.window.reserve) // self.processes)

    def state(self, now: float, waiting: int) -> LimiterState:
        """Return the state of the share as a `LimiterState`."""
        remaining = max(0, min(self.window.remaining, self.allowance - self.used))
        return attrs.evolve(
            LimiterState.of(self.window, now, waiting=waiting), limit=self.part, remaining=remaining, shared=False
        )

    def known(self, now: float) -> Known:
        """Return the knowledge to report to Redis when it is back."""
        ends_in = self.window.seconds_left(now)
        return Known(
            processes=self.processes,
            limit=self.window.limit,
            left=min(self.window.limit, self.window.remaining + self.window.in_flight + self.window.reserve),
            cooling=milliseconds(self.window.cooling_for(now)),
            ends_in=None if ends_in is None else milliseconds(ends_in),
        )

    def unseen(self, now: float) -> int:
        """Return how many finished requests may count in the vendor's current window."""
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
        """Record how a request ended."""
        before = self.window.seconds_left(now)
        self.window.settle(now, departed, feedback)
        if not feedback.sent:
            self.used -= 1
            return
        self.ended.append(departed)
        after = self.window.seconds_left(now)
        # The known end of a window shifts a little with every response, which reports whole seconds; a jump means the
        # next window.
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
