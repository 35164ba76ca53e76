"""The vendor's rate limit: a fixed window that opens with the first request.

See https://docs.withpersona.com/rate-limiting.
"""

from __future__ import annotations

import math
import re

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish
from persona_cases.testing.world.simulated_clock import Clock

__all__ = ["FixedWindow", "RateLimit", "WindowState"]

_TEXT = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*")


@attrs.frozen
class RateLimit:
    """The number of requests per window, and the length of a window.

    Attributes:
        requests: requests allowed per window; at least 1.
        seconds: length of a window in seconds; more than 0.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    requests: int
    seconds: float

    def __attrs_post_init__(self) -> None:
        if self.requests < 1 or not 0 < self.seconds < math.inf:
            raise InvalidArgumentError(
                "a rate_limit or quota needs at least 1 request and more than 0 seconds, such as '300/60'"
            )

    @classmethod
    def parse(cls, value: RateLimit | str | None, setting: str = "rate_limit") -> RateLimit | None:
        """Parse a setting: `"300/60"` (requests/seconds), `"off"`, None (off) or a `RateLimit`.

        Args:
            value: the value of the setting.
            setting: the name of the setting, for the error.

        Returns:
            The limit; None for off.

        Raises:
            InvalidArgumentError: if it is none of these.
        """
        if value is None or isinstance(value, RateLimit):
            return value
        if value.strip().lower() == "off":
            return None
        match = _TEXT.fullmatch(value)
        if match is None:
            raise InvalidArgumentError(
                f"{setting}: {value!r} is not 'REQUESTS/SECONDS' (such as '300/60') and not 'off'"
            )
        return cls(int(match[1]), float(match[2]))


UNLIMITED = RateLimit(1_000_000, 60)
"""The limit in the headers while the limit is off, because every response has these headers."""


@attrs.frozen
class WindowState:
    """The window as the `RateLimit-*` headers report it.

    Attributes:
        limit: requests allowed in the window.
        remaining: requests left in it.
        reset: whole seconds until it ends, rounded up.
        allowed: whether the request may pass.
    """

    limit: int
    remaining: int
    reset: int
    allowed: bool = True

    def headers(self, prefix: str = "RateLimit") -> dict[str, str]:
        """The three documented headers."""
        return {
            f"{prefix}-Limit": str(self.limit),
            f"{prefix}-Remaining": str(self.remaining),
            f"{prefix}-Reset": str(self.reset),
        }


class FixedWindow:
    """Counts requests in windows, each of which opens with the first request after the previous window."""

    def __init__(self, limit: RateLimit | None, clock: Clock) -> None:
        self._enforced = limit is not None
        self._limit = limit or UNLIMITED
        self._clock = clock
        self._closes = -math.inf
        self._used = 0

    @property
    def limit(self) -> RateLimit:
        """The limit in force."""
        return self._limit

    def spend(self, requests: int = 1) -> WindowState:
        """Take `requests` from the window, opening one if none is open, but no more than are left."""
        now = self._clock.monotonic()
        if now >= self._closes:
            self._closes, self._used = now + self._limit.seconds, 0
        allowed = not self._enforced or self._used < self._limit.requests
        self._used = min(self._used + requests, self._limit.requests)
        return self._state(self._closes - now, self._used, allowed=allowed)

    def peek(self) -> WindowState:
        """Return the window as the next request will find it, without opening one."""
        left = self._closes - self._clock.monotonic()
        return self._state(left, self._used) if left > 0 else self._state(self._limit.seconds, 0)

    def _state(self, left: float, used: int, *, allowed: bool = True) -> WindowState:
        return WindowState(
            limit=self._limit.requests,
            remaining=self._limit.requests - used,
            # Without rounding, (now + 60) - now can slightly exceed 60 and be reported as 61.
            reset=max(1, math.ceil(round(left, 6))),
            allowed=allowed,
        )


publish("persona_cases.testing", RateLimit)
