"""Limiters for tests: they write down what they are told, and wait in a time of their own."""

from __future__ import annotations

from typing import Any

from persona_cases import RateLimitError
from persona_cases.limits import Feedback, LimiterState, Permit


def limiter_state(**known: Any) -> LimiterState:
    """What an unused limiter of 300 requests knows, except for what is given."""
    unused = {
        "limit": 300,
        "remaining": 300,
        "in_flight": 0,
        "waiting": 0,
        "reserve": 0,
        "resets_in": None,
        "cooling_for": 0.0,
        "shared": False,
    }
    return LimiterState(**{**unused, **known})


class Time:
    """A clock that only waits move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Recording:
    """A limiter that makes each request wait for so many seconds, the last figure for all that follow.

    Attributes:
        patience: what `max_wait` was at each call.
        told: the permits that came back, and how their requests ended.
        out: how many permits have not come back.
    """

    def __init__(self, time: Time, *waits: float) -> None:
        self._time = time
        self._waits = list(waits) or [0.0]
        self.patience: list[float | None] = []
        self.told: list[tuple[Permit, Feedback]] = []
        self.out = 0

    @property
    def state(self) -> LimiterState:
        return limiter_state(limit=1, remaining=1, in_flight=self.out)

    async def acquire(self, max_wait: float | None = None) -> Permit:
        self.patience.append(max_wait)
        wait = self._waits.pop(0) if len(self._waits) > 1 else self._waits[0]
        if max_wait is not None and wait > max_wait:
            raise RateLimitError("not sent", retry_after=wait)
        await self._time.sleep(wait)
        self.out += 1
        return Permit(self._time.now)

    async def settle(self, permit: Permit, feedback: Feedback) -> None:
        self.told.append((permit, feedback))
        self.out -= 1
