"""The pace at which a limiter lets requests go: a leaky bucket that spreads a window's budget over a part of it."""

from __future__ import annotations

import math
from collections.abc import Awaitable

from aiolimiter import AsyncLimiter

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import believable

_SHARE_OF_WINDOW_FOR_BUDGET = 0.1
_SHARE_OF_BUDGET_AT_ONCE = 0.1


class Pace:
    """Spreads the budget of a window over a tenth of it, and lets a tenth of the budget go at once.

    So the numbers of the first responses are known before the last requests leave. It belongs to one event loop.

    Args:
        limit: requests a window.
        period: seconds a window.
    """

    def __init__(self, limit: int, period: float) -> None:
        self._period = period
        self._longest_reset = 0.0
        self._set(limit, period)

    @property
    def has_room(self) -> bool:
        """Whether a request's turn is now."""
        return self._bucket.has_capacity()

    def acquire(self) -> Awaitable[None]:
        """Return what waits for a request's turn."""
        return self._bucket.acquire()

    def follow(self, reading: WindowReading | None, limit: int | None = None) -> None:
        """Follow what a response reports about the window.

        Args:
            reading: the report; None if there is none.
            limit: the limit to follow instead of the reported one: of two that are reported in turn, the lower one.
        """
        if reading is None or (reading.reset <= self._longest_reset and limit == self._limit):
            return
        reading = believable(reading)
        if reading is None:
            return
        # The pace is not made by a reset that no window of the expected length can have.
        reset = min(float(reading.reset), math.ceil(self._period))
        followed = reading.limit if limit is None else limit
        if reset > self._longest_reset or followed != self._limit:
            self._longest_reset = max(self._longest_reset, reset)
            self._set(followed, self._longest_reset)

    def _set(self, limit: int, period: float) -> None:
        burst = max(1.0, limit * _SHARE_OF_BUDGET_AT_ONCE)
        rate = limit / (max(period, 1.0) * _SHARE_OF_WINDOW_FOR_BUDGET)
        self._limit = limit
        self._bucket = AsyncLimiter(burst, burst / rate)
