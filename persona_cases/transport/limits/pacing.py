"""The pace of a limiter: a leaky bucket that spreads a window's budget over a part of the window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import believable

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

_SHARE_OF_WINDOW_FOR_BUDGET = 0.1
_SHARE_OF_BUDGET_AT_ONCE = 0.1
# Turns are taken from the bucket several at a time, because each visit costs a fifth of the limiter's time. Those that
# are left over may leave in addition to what it has room for later, so they are few beside the burst.
_MOST_TURNS_AT_ONCE = 8
_SHARE_OF_BURST_AT_ONCE = 0.1


class Pace:
    """Spreads the budget of a window over a tenth of it, and sends a tenth of the budget immediately.

    So the numbers in the first responses are known before the last requests leave. It belongs to one event loop.

    Args:
        limit: requests per window.
        period: seconds per window.
    """

    def __init__(self, limit: int, period: float) -> None:
        self._period = period
        self._longest_reset = 0.0
        self._turns: int
        self._set(limit, period)

    def take(self) -> bool:
        """Take one of the turns that the bucket has already given, and return whether there was one."""
        if not self._turns:
            return False
        self._turns -= 1
        return True

    async def take_new(self) -> bool:
        """Take a turn from the bucket, and return whether it had one; does not wait."""
        for turns in (self._turns_at_once, 1):
            if self._bucket.has_capacity(turns):
                await self._bucket.acquire(turns)
                self._turns += turns - 1
                return True
        return False

    async def acquire(self) -> None:
        """Wait for a turn."""
        if not self.take():
            await self._bucket.acquire()

    def follow(self, reading: WindowReading | None, limit: int | None = None) -> None:
        """Adapt to a response's report about the window.

        Args:
            reading: the report; None if there is none.
            limit: the limit to use instead of the reported one: the lower one if responses report two in turn.
        """
        if reading is None or (reading.reset <= self._longest_reset and limit == self._limit):
            return
        reading = believable(reading)
        if reading is None:
            return
        # Ignore a reset that a window of the expected length cannot have.
        reset = min(float(reading.reset), math.ceil(self._period))
        followed = reading.limit if limit is None else limit
        if reset > self._longest_reset or followed != self._limit:
            self._longest_reset = max(self._longest_reset, reset)
            self._set(followed, self._longest_reset)

    def _set(self, limit: int, period: float) -> None:
        from aiolimiter import AsyncLimiter  # noqa: PLC0415 - it looks up its own version, which takes as long as all this

        burst = max(1.0, limit * _SHARE_OF_BUDGET_AT_ONCE)
        rate = limit / (max(period, 1.0) * _SHARE_OF_WINDOW_FOR_BUDGET)
        self._limit = limit
        self._turns = 0
        self._turns_at_once = max(1, min(_MOST_TURNS_AT_ONCE, int(burst * _SHARE_OF_BURST_AT_ONCE)))
        self._bucket: AsyncLimiter = AsyncLimiter(burst, burst / rate)
