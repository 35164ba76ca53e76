"""Clients of a simulator, which follow its clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from persona_cases.client import PersonaClient
from persona_cases.errors import ClientStateError
from persona_cases.testing.world.simulated_clock import Clock, ManualClock
from persona_cases.transport.limits.limiter import LocalLimiter, Permit
from persona_cases.transport.limits.pacing import Pace
from persona_cases.transport.limits.quota_limiter import QuotaLimiter

__all__ = ["client_of"]

_PATIENCE = 30.0
"""Real seconds after which a waiting client assumes that nobody will advance the clock."""


class _AtOnce(Pace):
    """No pacing, because a bucket would drip in real time instead of on a manual clock."""

    def take(self) -> bool:
        """Let any request go."""
        return True

    async def acquire(self) -> None:
        """Let a request go."""


class _FollowingLimiter(LocalLimiter):
    """A limiter that follows a `ManualClock`."""

    def _enter_loop(self) -> None:
        super()._enter_loop()
        if not isinstance(self._pace, _AtOnce):
            self._pace = _AtOnce(self._window.limit, self._window.period)

    async def acquire(self, max_wait: float | timedelta | None = None) -> Permit:
        """Wait until a request may be sent, but raise if the clock does not advance."""
        try:
            async with asyncio.timeout(_PATIENCE if max_wait is None else None):
                return await super().acquire(max_wait)
        except TimeoutError:
            pass
        raise ClientStateError(
            f"the client waited {_PATIENCE:g} s for the rate limit while nobody advanced the ManualClock: advance it "
            "from another task, or give the client max_wait"
        )


class _FollowingQuotaLimiter(QuotaLimiter, _FollowingLimiter):
    """The same for the quota of case creation."""


def client_of(api_key: str, base_url: str, clock: Clock, settings: dict[str, Any]) -> PersonaClient:
    """Make a client for a simulator.

    Args:
        api_key: the simulator's key.
        base_url: the simulator's base URL.
        clock: its clock; limiters follow a `ManualClock`.
        settings: arguments of `PersonaClient`, which take precedence.
    """
    chosen: dict[str, Any] = {"api_key": api_key, "base_url": base_url}
    if isinstance(clock, ManualClock):
        chosen["limiter"] = clock.wakes(_FollowingLimiter(clock=clock.monotonic))
        chosen["creation_limiter"] = clock.wakes(_FollowingQuotaLimiter(clock=clock.monotonic))
    return PersonaClient(**{**chosen, **settings})
