"""Estimates of how long requests take at the current rate limit. Pure."""

from __future__ import annotations

import math
from typing import Final

import attrs

from persona_cases.transport.limits.limiter import LimiterState

__all__ = ["DOCUMENTED_PERIOD", "Allowance", "seconds_needed"]

# The documented window (https://docs.withpersona.com/rate-limiting), used until a new window is observed.
DOCUMENTED_PERIOD: Final = 60.0


@attrs.frozen(kw_only=True)
class Allowance:
    """The requests that the rate limit allows.

    Attributes:
        remaining: budget until the next window begins.
        resets_in: seconds until then.
        limit: requests per window from then on.
        period: length of a window in seconds.
    """

    remaining: float
    resets_in: float
    limit: float
    period: float

    @classmethod
    def of(cls, state: LimiterState, period: float) -> Allowance:
        """Return the allowance for the state of a limiter and the length of a window in seconds."""
        limit = max(1, state.limit - state.reserve)
        if state.cooling_for > 0:
            return cls(remaining=0, resets_in=state.cooling_for, limit=limit, period=period)
        if state.resets_in is None:
            # The next request begins a new window.
            return cls(remaining=limit, resets_in=period, limit=limit, period=period)
        return cls(remaining=state.remaining, resets_in=state.resets_in, limit=limit, period=period)


def seconds_needed(requests: float, speed: float, allowance: Allowance) -> float:
    """Return the seconds that a number of requests takes.

    Args:
        requests: number of requests.
        speed: requests per second while nothing waits for the rate limit; more than 0.
        allowance: the requests that the rate limit allows.
    """
    at_first = min(allowance.remaining, speed * allowance.resets_in)
    if requests <= at_first:
        return max(0.0, requests) / speed
    later, each = requests - at_first, min(allowance.limit, speed * allowance.period)
    whole_windows = max(0, math.ceil(later / each) - 1)
    return allowance.resets_in + whole_windows * allowance.period + (later - whole_windows * each) / speed
