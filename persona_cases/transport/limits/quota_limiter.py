"""The limiter for the creation of cases, whose quota is unknown until the API reports it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import attrs

from persona_cases.protocol.window import Feedback
from persona_cases.surface import publish
from persona_cases.transport.limits.limiter import LimiterState, LocalLimiter, Permit

__all__ = ["QuotaLimiter"]

# Means "no quota" until the API reports one.
_UNTOLD = 1_000_000


class QuotaLimiter(LocalLimiter):
    """Keeps the creation of cases within its quota, in one process.

    The vendor may limit how many cases an environment creates in a window, in addition to the rate limit, and reports
    the quota in `Quota-*` or `QuotaLimit-*` headers. Until a response has them, or the API refuses a creation, this
    limiter delays nothing. From then on it treats creations as `LocalLimiter` treats requests.

    Args:
        period: seconds per window. The vendor does not document the windows of quotas; those of the rate limit last a
            minute.
        clock: a monotonic clock, in seconds.

    Raises:
        InvalidArgumentError: if `period` is not above zero.

    See https://docs.withpersona.com/rate-limiting.
    """

    def __init__(self, period: float | timedelta = 60.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(_UNTOLD, period, clock=clock)
        self._told = False
        self._unlimited = 0

    def __repr__(self) -> str:
        return f"QuotaLimiter(limit={self._window.limit if self._told else 'untold'}, period={self._window.period:g})"

    @property
    def told(self) -> bool:
        """Whether the API has reported a quota."""
        return self._told

    @property
    def state(self) -> LimiterState:
        """The current knowledge. Until the API has reported a quota, the limit is 1,000,000."""
        known = super().state
        return known if self._told else attrs.evolve(known, in_flight=self._unlimited)

    async def acquire(self, max_wait: float | timedelta | None = None) -> Permit:
        """Wait until a case may be created; see `Limiter.acquire`."""
        if self._told:
            return await super().acquire(max_wait)
        self._enter_loop()
        self._unlimited += 1
        return Permit(self._clock())

    async def settle(self, permit: Permit, feedback: Feedback) -> None:
        """Give a permit back; see `Limiter.settle`."""
        if not self._told:
            if feedback.reading is None and not feedback.refused:
                self._unlimited -= 1
                return
            self._begin()
        await super().settle(permit, feedback)

    def _begin(self) -> None:
        # The API may or may not have counted the requests in flight yet.
        self._told = True
        self._enter_loop()
        for _ in range(self._unlimited):
            self._window.depart(self._clock())
        self._unlimited = 0


publish("persona_cases.limits", QuotaLimiter)
