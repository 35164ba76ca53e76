"""Calls under way: how long a client lasts, and what ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import attrs

from persona_cases.errors import Answered, ClientStateError, PersonaError, TransportError
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.attempt_loop import AttemptLoop, Sending

__all__ = ["Call", "Lifetime"]

P = TypeVar("P")
R = TypeVar("R")


class Lifetime:
    """How long a client or a copy of one lasts.

    Args:
        parent: the lifetime of the client that it is a copy of, with which it ends too.
    """

    def __init__(self, parent: Lifetime | None = None) -> None:
        self._parent = parent
        self._closed = False
        # Shared by a client and its copies: closing a client ends the calls of its copies.
        self._calls: set[Call] = set() if parent is None else parent._calls
        self._ended: asyncio.Event = asyncio.Event() if parent is None else parent._ended

    @property
    def is_root(self) -> bool:
        """Whether it is no copy's."""
        return self._parent is None

    def check(self) -> None:
        """Check that calls can be made.

        Raises:
            ClientStateError: if the client is closed.
        """
        if self._closed:
            raise ClientStateError("the client is closed: make a new one, or move this call into its `async with`")
        if self._parent is not None:
            self._parent.check()

    def add(self, call: Call) -> None:
        """Take in a call that begins."""
        self._calls.add(call)

    def remove(self, call: Call) -> None:
        """Take in that a call has ended."""
        self._calls.discard(call)
        self._ended.set()

    def close(self) -> None:
        """Allow no more calls, and wake those that are under way: they end with an error."""
        self._closed = True
        current = asyncio.current_task()
        for call in self._under_way():
            # A call that closes its own client, from a middleware say, comes to its end by itself.
            if call.task is not current:
                call.end()

    async def drain(self, patience: float | None) -> bool:
        """Wait until no call is under way, and tell whether that came to pass in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while any(self._under_way()):
                    self._ended.clear()
                    await self._ended.wait()
        return not any(self._under_way())

    def _under_way(self) -> Iterator[Call]:
        return (call for call in tuple(self._calls) if call.lifetime._belongs_to(self))

    def _belongs_to(self, other: Lifetime) -> bool:
        return self is other or (self._parent is not None and self._parent._belongs_to(other))


@attrs.define(eq=False)
class Call:
    """One call: all its attempts, the waits between them, and the decoding of the answer.

    Attributes:
        attempts: the attempts so far.
        lifetime: of the client that makes it.
        loop: makes the attempts.
        begun: when it began, on the loop's clock.
    """

    attempts: Attempts
    lifetime: Lifetime
    loop: AttemptLoop
    begun: float = attrs.field(init=False)
    task: asyncio.Task[object] | None = attrs.field(init=False, default=None)
    _timeout: asyncio.Timeout | None = attrs.field(init=False, default=None)
    _told_to_end: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.begun = self.loop.clock()

    def end(self) -> None:
        """Wake the call, wherever it waits, since its client is closed."""
        self._told_to_end = True
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def run(self, sending: Sending[P, R], max_wait: float | None) -> R:
        """Make attempts until one succeeds.

        Raises:
            PersonaError: what the last attempt ended in, or an `IndeterminateError`.
            ClientStateError: if the client was closed meanwhile, and nothing was carried out.
        """
        self.task = asyncio.current_task()
        self.lifetime.add(self)
        try:
            async with asyncio.timeout(None) as self._timeout:
                return await self.loop.run(sending, self.attempts, max_wait)
        except (TimeoutError, TransportError):
            if not self._told_to_end:
                raise
        finally:
            self.lifetime.remove(self)
            self._timeout = self.task = None
        error = self.attempts.closed_error(under_way=sending.under_way)
        raise error from error.__cause__

    def answered(self, request_id: str | None) -> Answered:
        """Return what is to be remembered of the call once it was answered."""
        return self.attempts.answered(elapsed=self.loop.clock() - self.begun, request_id=request_id)

    def describe(self, error: PersonaError) -> None:
        """Tell an error which call it ended."""
        self.attempts.describe(error, elapsed=self.loop.clock() - self.begun)
