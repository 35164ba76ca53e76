"""Whether a service can take requests, from what its client knows: pure, and without a request to the API."""

from __future__ import annotations

import math
from typing import Any

import attrs

from persona_cases.limits import LimiterState

__all__ = ["MAX_WAITING", "Readiness", "readiness_of"]

MAX_WAITING = 100
"""How many calls may wait for the rate limit in a service that is ready."""


@attrs.frozen
class Readiness:
    """The answer to a probe.

    Attributes:
        status: 200, or 503 if too many calls wait.
        document: what the limiter knows.
        headers: headers of the answer.
    """

    status: int
    document: dict[str, Any]
    headers: dict[str, str]


def readiness_of(state: LimiterState, max_waiting: int) -> Readiness:
    """Return how to answer a probe.

    A cooldown alone does not make a service unready: it holds for all replicas, which share the limit.

    Args:
        state: what the limiter of the client knows.
        max_waiting: how many calls may wait for the rate limit.
    """
    ready = state.waiting <= max_waiting
    wait = state.cooling_for or state.resets_in or 0.0
    return Readiness(
        200 if ready else 503,
        {"ready": ready, **attrs.asdict(state)},
        {} if ready else {"Retry-After": str(max(1, math.ceil(wait)))},
    )
