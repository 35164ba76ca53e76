"""The vendor's window without the HTTP around it: what limiters are told, and whom it refuses."""

from __future__ import annotations

import asyncio
import math

from persona_cases.limits import Feedback, Limiter, WindowReading
from persona_cases.testing import RateLimit, SystemClock
from persona_cases.testing.gates.rate_window import FixedWindow

__all__ = ["FixedWindow", "Vendor"]


class Vendor:
    """Answers requests that were let go by limiters, and counts them per window."""

    def __init__(self, limit: int, period: float, latency: float = 0.01) -> None:
        self._clock = SystemClock()
        self._window = FixedWindow(RateLimit(limit, period), self._clock)
        self._period = period
        self._latency = latency
        self._ends = -math.inf
        self.refused = 0
        self.windows: list[int] = []

    @property
    def answered(self) -> int:
        return sum(self.windows) - self.refused

    def spend(self, requests: int) -> None:
        """Use up some of the window, as a stranger would."""
        self._open()
        self._window.spend(requests)

    def answer(self) -> Feedback:
        self._open()
        state = self._window.spend()
        self.windows[-1] += 1
        self.refused += not state.allowed
        reading = WindowReading(state.limit, state.remaining, state.reset)
        return Feedback(reading=reading, answered=state.allowed, refused=not state.allowed)

    async def send(self, limiter: Limiter, max_wait: float | None = None) -> None:
        """One request, as the pipeline does it."""
        permit = await limiter.acquire(max_wait)
        feedback = Feedback()
        try:
            await asyncio.sleep(self._latency / 2)
            feedback = self.answer()
            await asyncio.sleep(self._latency / 2)
        finally:
            await limiter.settle(permit, feedback)

    async def send_many(self, limiter: Limiter, requests: int) -> None:
        await asyncio.gather(*(self.send(limiter) for _ in range(requests)))

    def _open(self) -> None:
        now = self._clock.monotonic()
        if now >= self._ends:
            self._ends = now + self._period
            self.windows.append(0)
