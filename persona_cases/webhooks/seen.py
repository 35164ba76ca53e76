"""Records of handled events, which a receiver checks before it handles one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias, cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol import checks
from persona_cases.surface import publish

__all__ = ["Claim", "MemorySeen", "RedisSeen", "Seen"]

Claim: TypeAlias = Literal["new", "running", "done"]
"""The state of an event: `new`, being handled, or handled."""

DEFAULT_KEEP: Final = timedelta(days=3)
"""Longer than the vendor repeats a delivery, which is about 51 hours."""

DEFAULT_LEASE: Final = timedelta(minutes=10)


class Seen(Protocol):
    """Remembers events by their ids. Your own implementation needs these three methods."""

    async def claim(self, event_id: str) -> Claim:
        """Return the state of an event, and mark it as `running` if it was `new`.

        Args:
            event_id: the id of the event.

        Returns:
            Its state before the call.
        """
        ...

    async def finish(self, event_id: str) -> None:
        """Mark an event as handled.

        Args:
            event_id: the id of the event.
        """
        ...

    async def release(self, event_id: str) -> None:
        """Forget an event that could not be handled, so that a repeated delivery is `new`.

        Args:
            event_id: the id of the event.
        """
        ...


class MemorySeen:
    """Remembers events in memory, for one process.

    Args:
        keep: how long to remember an event: seconds or a timedelta.
        most: maximum number of events to remember; beyond that, the oldest are forgotten.
        clock: a monotonic clock, in seconds.

    Raises:
        InvalidArgumentError: if an argument is out of range.
    """

    def __init__(
        self,
        *,
        keep: float | timedelta = DEFAULT_KEEP,
        most: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep = checks.seconds(keep, "keep", least=1)
        self._most = checks.whole_number(most, "most")
        self._clock = clock
        self._events: OrderedDict[str, tuple[Claim, float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<MemorySeen, {len(self._events)} events>"

    async def claim(self, event_id: str) -> Claim:
        """See `Seen`."""
        now = self._clock()
        claim, since = self._events.get(event_id, ("new", now))
        if claim == "new" or now - since > self._keep:
            self._put(event_id, "running")
            return "new"
        return claim

    async def finish(self, event_id: str) -> None:
        """See `Seen`."""
        self._put(event_id, "done")

    async def release(self, event_id: str) -> None:
        """See `Seen`."""
        self._events.pop(event_id, None)

    def _put(self, event_id: str, claim: Claim) -> None:
        self._events.pop(event_id, None)
        self._events[event_id] = claim, self._clock()
        while len(self._events) > self._most:
            self._events.popitem(last=False)


class RedisSeen:
    """Remembers events in Redis, for any number of processes. It needs the extra `persona-cases[redis]`.

    If a process ends while it handles an event, the event stays `running` until its lease ends.

    Args:
        url: the URL of the server, such as `redis://localhost:6379/0`.
        keep: how long to remember a handled event: seconds or a timedelta.
        lease: maximum time that an event can be `running`: seconds or a timedelta.
        prefix: the prefix of the keys.

    Raises:
        InvalidArgumentError: if redis is not installed, or an argument is out of range.
    """

    def __init__(
        self,
        url: str,
        *,
        keep: float | timedelta = DEFAULT_KEEP,
        lease: float | timedelta = DEFAULT_LEASE,
        prefix: str = "persona-cases:event:",
    ) -> None:
        try:
            from redis.asyncio import Redis  # noqa: PLC0415 - comes with an extra
        except ImportError:
            raise InvalidArgumentError("RedisSeen needs redis: pip install 'persona-cases[redis]'") from None
        self._keep = round(1000 * checks.seconds(keep, "keep", least=1))
        self._lease = round(1000 * checks.seconds(lease, "lease", least=1))
        self._prefix = checks.text(prefix, "prefix")
        self._redis: Any = cast("Any", Redis).from_url(url)

    def __repr__(self) -> str:
        return "<RedisSeen>"

    async def claim(self, event_id: str) -> Claim:
        """See `Seen`."""
        key = self._prefix + event_id
        if await self._redis.set(key, "running", nx=True, px=self._lease):
            return "new"
        # A key that expired in between counts as running; a repeated delivery will find it new.
        return "done" if await self._redis.get(key) == b"done" else "running"

    async def finish(self, event_id: str) -> None:
        """See `Seen`."""
        await self._redis.set(self._prefix + event_id, "done", px=self._keep)

    async def release(self, event_id: str) -> None:
        """See `Seen`."""
        await self._redis.delete(self._prefix + event_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


publish("persona_cases.webhooks", MemorySeen, RedisSeen, Seen)
