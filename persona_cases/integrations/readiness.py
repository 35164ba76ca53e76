"""Whether a service can take requests, judged by the limiter of its client, without a request to the API. Pure."""

from __future__ import annotations

import math
from typing import Any

import attrs

from persona_cases.limits import LimiterState

__all__ = ["MAX_WAITING", "Readiness", "readiness_of"]

MAX_WAITING = 100
"""Maximum number of calls that wait for the rate limit in a ready service."""


@attrs.frozen
class Readiness:
    """The response to a probe.

    Attributes:
        status: 200, or 503 if too many calls wait.
        document: the state of the limiter.
        headers: headers of the response.
    """

    status: int
    document: dict[str, Any]
    headers: dict[str, str]


def readiness_of(state: LimiterState, max_waiting: int) -> Readiness:
    """Return the response to a probe.

    A cooldown alone does not make a service unready, because it affects all replicas, which share the limit.

    Args:
        state: the state of the client's limiter.
        max_waiting: maximum number of calls that wait for the rate limit.
    """
    ready = state.waiting <= max_waiting
    wait = state.cooling_for or state.resets_in or 0.0
    return Readiness(
        200 if ready else 503,
        {"ready": ready, **attrs.asdict(state)},
        {} if ready else {"Retry-After": str(max(1, math.ceil(wait)))},
    )
