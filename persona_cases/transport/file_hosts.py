"""File hosts that requested a pause, which all downloads of a client observe together."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec

from persona_cases.errors import APIError, PersonaError, RateLimitError

__all__ = ["FileHosts"]

# The waits that the API's vendor advises after 429 responses without a duration.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 5.0, 40.0


class _Host(msgspec.Struct):
    until: float = -math.inf
    refusals: int = 0


class FileHosts:
    """Decides when the next download from a host may begin.

    File hosts do not report a rate limit in advance, so no download waits before the first 429 response.

    Args:
        clock: a monotonic clock, in seconds.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    async def admit(self, url: str, patience: float | None) -> None:
        """Wait until a request to the host of a file may leave.

        Args:
            url: the URL of the file.
            patience: maximum seconds to wait; None for no limit.

        Raises:
            RateLimitError: if the wait would be longer.
        """
        host = _host_of(url)
        waits_until = math.inf if patience is None else self._clock() + patience
        while (known := self._hosts.get(host)) is not None and (delay := known.until - self._clock()) > 0:
            if known.until > waits_until:
                raise RateLimitError(
                    f"not sent: the wait of {delay:.1f} s that the file server asked for is longer than max_wait or "
                    "the deadline allows",
                    retry_after=delay,
                )
            await self._sleep(delay)

    def settle(self, url: str, error: PersonaError | None) -> None:
        """Record how a download ended; None for success."""
        host = _host_of(url)
        now, known = self._clock(), self._hosts.get(host)
        if error is None:
            if known is not None and known.until <= now:
                del self._hosts[host]
            return
        told = error.retry_after if isinstance(error, APIError) else None
        if told is None and not isinstance(error, RateLimitError):
            return
        known = self._hosts.setdefault(host, _Host())
        wait = told or 0.0
        if isinstance(error, RateLimitError):
            # A host sends 429 to all downloads in flight, which counts once.
            known.refusals += known.until <= now
            # The requested pause is used once. If the host sends 429 again after it, the next pause is longer.
            if not told or known.refusals > 1:
                wait = max(wait, min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(known.refusals - 1, 10)))
        known.until = max(known.until, now + wait)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        # The request itself will raise an error.
        return ""
