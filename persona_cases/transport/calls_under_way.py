"""Calls in progress: their attempts, and the lifetime of the client that they end with."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Literal, Self, TypeVar

import attrs
import msgspec

from persona_cases.errors import (
    Answered,
    ClientStateError,
    DecodeError,
    PersonaError,
    RateLimitError,
    TransportError,
)
from persona_cases.protocol.call_options import Options
from persona_cases.protocol.events import CallEnded, CallStarted, Event, ObservedCall, Observer, Retry, retry_reason
from persona_cases.protocol.message import Request
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.connection_failures import Departure
from persona_cases.transport.listeners import listeners

__all__ = ["Call", "Lifetime", "Timing"]

P = TypeVar("P")

_numbers = count(1)


class Lifetime:
    """The lifetime of a client or a copy.

    Args:
        parent: for a copy, the lifetime of the original client, with which it ends too.
    """

    def __init__(self, parent: Lifetime | None = None) -> None:
        self._parent = parent
        self._closed = False
        # Shared by a client and its copies, because closing a client ends the calls of its copies.
        self._calls: set[Call] = set() if parent is None else parent._calls
        self._ended: asyncio.Event = asyncio.Event() if parent is None else parent._ended

    @property
    def is_root(self) -> bool:
        """Whether it is the lifetime of an original client, not of a copy."""
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
        """Register a call that begins."""
        self._calls.add(call)

    def remove(self, call: Call) -> None:
        """Unregister a call that has ended."""
        self._calls.discard(call)
        self._ended.set()

    def close(self) -> None:
        """Allow no more calls, and wake those in progress, which then end with an error."""
        self._closed = True
        current = asyncio.current_task()
        for call in self._under_way():
            # A call that closes its own client, for example in a middleware, ends by itself.
            if call.task is not current:
                call.break_off()

    async def drain(self, patience: float | None) -> bool:
        """Wait until no call is in progress, and return whether that happened in time."""
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


class Timing(msgspec.Struct, frozen=True):
    """The clock, sleep and jitter of calls.

    Attributes:
        clock: a monotonic clock, in seconds.
        sleep: waits for a number of seconds.
        draw: random numbers in [0, 1) for the jitter.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random


class Call:
    """One call: all its attempts, the waits between them, and the decoding of the response.

    .. code-block:: python

        with call:
            while True:
                permit = await call.admit(leave_to_send(call.patience))
                outcome = await send(permit)
                if not isinstance(outcome, PersonaError):
                    return outcome
                await call.back_off(outcome)
        raise call.broken_off()

    The `with` block ends without an exception only if it returns, or if closing the client interrupted the call.

    Args:
        request: the request.
        options: the settings of the client.
        lifetime: the lifetime of the client.
        timing: clock, sleep and jitter.
        host: the kind of host that responds.

    Attributes:
        request: the request of this attempt.
        observers: the observers to notify; usually empty.
        patience: maximum seconds that the next attempt may wait for limits; None for no limit.
        task: the task that makes the call.
        departure: observes whether the attempt in flight was sent; None if none is in flight.
        lost: how the network failed in this attempt. It is kept because a middleware may raise its own errors.
    """

    __slots__ = (
        "_attempts",
        "_begun",
        "_broken_off",
        "_cancels",
        "_failure",
        "_host",
        "_observed",
        "_since",
        "_started",
        "_timing",
        "departure",
        "lifetime",
        "lost",
        "observers",
        "options",
        "patience",
        "request",
        "task",
    )

    def __init__(
        self,
        request: Request,
        options: Options,
        lifetime: Lifetime,
        timing: Timing,
        host: Literal["api", "files"] = "api",
    ) -> None:
        self.request: Request = request
        self.options: Options = options
        self.lifetime: Lifetime = lifetime
        self.observers: tuple[Observer, ...] = listeners(options.observers)
        self._timing = timing
        self._attempts = Attempts(request, options.retry)
        self._begun = self._since = self._started = timing.clock()
        self._host: Literal["api", "files"] = host
        self.task: asyncio.Task[object] | None = None
        self.departure: Departure | None = None
        self.lost: TransportError | DecodeError | None = None
        self._failure: PersonaError | None = None
        self._observed: ObservedCall | None = None
        self._broken_off = False
        self.patience: float | None = options.max_wait

    def __enter__(self) -> Self:
        self.task = asyncio.current_task()
        self._cancels = 0 if self.task is None else self.task.cancelling()
        if self.observers:
            self.tell(CallStarted(self.observed))
        self.lifetime.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.lifetime.remove(self)
        if self._broken_off and self.task is not None:
            ours = self.task.uncancel() <= self._cancels
            if isinstance(error, TransportError) or (ours and isinstance(error, asyncio.CancelledError)):
                return True
        if error is not None or self.observers:
            self._end(error)
        return False

    # ---- attempts ----------------------------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """Number of attempts so far."""
        return self._attempts.sent

    async def admit(self, leave: Awaitable[P]) -> P:
        """Wait for permission to make the next attempt, and count the attempt.

        Raises:
            RateLimitError: if the wait is too long before the first attempt.
            PersonaError: if the wait is too long before a later attempt: the error of the last attempt, which says
                more.
        """
        try:
            permit = await leave
        except RateLimitError as error:
            if self._failure is None:
                raise
            final = self._attempts.final_error(self._failure)
            raise final from (final.__cause__ or error)
        if not self._attempts.sent:
            self._started = self._timing.clock()
        self._attempts.sent = number = self._attempts.sent + 1
        if number > 1:
            self.request = attrs.evolve(self.request, attempt=number)
        return permit

    async def back_off(self, failure: PersonaError) -> None:
        """Wait before the next attempt.

        Args:
            failure: the error that ended the last one.

        Raises:
            PersonaError: if no attempt follows: the failure, or an `IndeterminateError`.
        """
        attempts, timing = self._attempts, self._timing
        self._failure = failure
        self.departure = self.lost = None
        attempts.record(failure)
        delay = attempts.delay(failure, elapsed=self._elapsed, draw=timing.draw(), max_wait=self.options.max_wait)
        if delay is not None:
            if self.observers:
                self._since = timing.clock()
                self.tell(Retry(self.observed, attempts.sent, retry_reason(failure), delay))
            await timing.sleep(delay)
        if delay is None or attempts.is_over(self._elapsed):
            final = attempts.final_error(failure)
            raise final from final.__cause__
        self.patience = attempts.patience(elapsed=self._elapsed, max_wait=self.options.max_wait)

    # ---- the end -----------------------------------------------------------------------------------------------------

    def break_off(self) -> None:
        """Wake the call, wherever it waits, because its client was closed."""
        # Only once, because each cancellation has to be undone.
        if self.task is not None and not self._broken_off:
            self._broken_off = True
            self.task.cancel()

    def broken_off(self) -> PersonaError:
        """Return the error of a call that was interrupted because its client was closed."""
        may_have_left = self.departure is not None and not self.departure.unsent
        error = self._attempts.closed_error(under_way=may_have_left)
        self._end(error)
        return error

    def unreadable(self, failure: DecodeError) -> PersonaError:
        """Return the error to raise for a response that cannot be decoded."""
        self._attempts.record(failure)
        self._describe(failure)
        return self._attempts.final_error(failure)

    def answered(self, request_id: str | None) -> Answered:
        """Return the facts about the call that later errors need, once a response has arrived."""
        return self._attempts.answered(elapsed=self._timing.clock() - self._begun, request_id=request_id)

    def _describe(self, error: PersonaError) -> None:
        self._attempts.describe(error, elapsed=self._timing.clock() - self._begun)

    def _end(self, error: BaseException | None) -> None:
        if isinstance(error, PersonaError):
            self._describe(error)
        if self.observers:
            elapsed = self._timing.clock() - self._begun
            self.tell(CallEnded(self.observed, self.number, elapsed, None if error is None else type(error)))

    @property
    def _elapsed(self) -> float:
        return self._timing.clock() - self._started

    # ---- observers ---------------------------------------------------------------------------------------------------

    @property
    def observed(self) -> ObservedCall:
        """The call as observers see it."""
        if self._observed is None:
            template = self.request.path_template
            self._observed = ObservedCall(next(_numbers), self.request.method, template, self._host)
        return self._observed

    @property
    def waited(self) -> float:
        """Seconds since the call began or since its last attempt ended."""
        return self._timing.clock() - self._since

    def tell(self, event: Event) -> None:
        """Pass an event to all observers."""
        for observer in self.observers:
            observer(event)
