"""The protocol of limiters, and the limiter for a single process."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, Self

import attrs
import msgspec

from persona_cases.errors import RateLimitError
from persona_cases.protocol.checks import seconds, whole_number
from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.surface import publish
from persona_cases.transport.home_loop import HomeLoop
from persona_cases.transport.limits.pacing import Pace


class Permit(msgspec.Struct, frozen=True):
    """Permission to send one request. Give it back with `Limiter.settle`, however the request ends.

    Attributes:
        departed: when it was given, in seconds on the limiter's clock.
    """

    departed: float


@attrs.frozen(kw_only=True)
class LimiterState:
    """The knowledge of a limiter at one moment.

    Attributes:
        limit: requests per window, as last reported by the server.
        remaining: requests that may still leave in the current window, not counting the reserve.
        in_flight: requests that have left and not been settled.
        waiting: calls in this process that wait for a permit.
        reserve: requests of each window that are left to other programs.
        resets_in: seconds until the current window ends at the latest; None if none is known to be open.
        cooling_for: seconds left of the cooldown after a 429 response; 0 without one.
        shared: whether the numbers include other processes.
    """

    limit: int
    remaining: int
    in_flight: int
    waiting: int
    reserve: int
    resets_in: float | None
    cooling_for: float
    shared: bool

    @classmethod
    def of(cls, window: RateWindow, now: float, *, waiting: int, shared: bool = False) -> Self:
        """Return the state of a window.

        Args:
            window: the model of the window.
            now: the time.
            waiting: number of calls that wait for a permit.
            shared: whether the numbers include other processes.
        """
        return cls(
            limit=window.limit,
            remaining=window.remaining,
            in_flight=window.in_flight,
            waiting=waiting,
            reserve=window.reserve,
            resets_in=window.seconds_left(now),
            cooling_for=window.cooling_for(now),
            shared=shared,
        )


class Limiter(Protocol):
    """Keeps requests within the rate limit of one environment.

    The vendor counts all requests of an environment together, whichever key and program they come from, so clients of
    the same environment should share a limiter.
    """

    @property
    def state(self) -> LimiterState:
        """What is known now."""
        ...

    async def acquire(self, max_wait: float | None = None) -> Permit:
        """Wait until a request may be sent.

        Args:
            max_wait: maximum seconds to wait; None for no limit.

        Returns:
            The permit, to be given back with `settle`.

        Raises:
            RateLimitError: if the wait would be longer, immediately if its length is known.
        """
        ...

    async def settle(self, permit: Permit, feedback: Feedback) -> None:
        """Give a permit back and report how the request ended.

        Args:
            permit: the permit from `acquire`.
            feedback: how the request ended.
        """
        ...


class LocalLimiter:
    """The limiter for one process: a model of the window, fed by the vendor's headers, and a leaky bucket for the pace.

    The model knows how many requests the current window has left. It sends the whole budget early and then waits for
    the next window. The bucket (aiolimiter) spreads the budget over a tenth of the window, so that the numbers in the
    first responses are known before the last requests leave. Calls are served in order of arrival.

    Args:
        limit: requests per window, until a response reports them.
        period: seconds per window. See https://docs.withpersona.com/rate-limiting for the vendor's 300 in 60 seconds.
        reserve: how many requests of each window to leave to other programs; less than `limit`.
        clock: a monotonic clock, in seconds.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    def __init__(
        self,
        limit: int = 300,
        period: float | timedelta = 60.0,
        *,
        reserve: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limit = whole_number(limit, "limit")
        reserve = whole_number(reserve, "reserve", least=0, most=limit - 1)
        self._window = RateWindow(limit=limit, period=seconds(period, "period"), reserve=reserve)
        self._clock = clock
        self._waiting = set[object]()
        self._home = HomeLoop()
        self._pace: Pace

    def __repr__(self) -> str:
        return f"LocalLimiter(limit={self._window.limit}, period={self._window.period:g})"

    @property
    def limit(self) -> int:
        """Requests per window, as last reported by the server."""
        return self._window.limit

    @property
    def remaining(self) -> int:
        """Requests that may still leave in the current window, as far as is known."""
        return self._window.remaining

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the current window ends at the latest; None if none is known to be open."""
        return self._window.seconds_left(self._clock())

    @property
    def state(self) -> LimiterState:
        """What is known now."""
        now = self._clock()
        self._window.advance(now)
        return LimiterState.of(self._window, now, waiting=len(self._waiting))

    async def acquire(self, max_wait: float | timedelta | None = None) -> Permit:
        """Wait until a request may be sent; see `Limiter.acquire`."""
        if self._home.loop is not asyncio.get_running_loop():
            self._enter_loop()
        window, now = self._window, self._clock()
        window.advance(now)
        if not self._waiting and window.delay(now) <= 0 and (self._pace.take() or await self._pace.take_new()):
            # Fast path: no call is waiting, and window and bucket have room.
            window.depart(now)
            return Permit(now)
        patience = None if max_wait is None else seconds(max_wait, "max_wait", least=0.0)
        self._refuse_long_wait(patience)
        waits_until = math.inf if patience is None else self._clock() + patience
        # When this call ends, another loop with other waiting calls may have taken over.
        waiting, this = self._waiting, object()
        waiting.add(this)
        try:
            async with asyncio.timeout(patience), self._turnstile:
                await self._pass_gate(waits_until)
                await self._pace.acquire()
                # While the bucket waited, another call may have received a 429 response.
                await self._pass_gate(waits_until)
                departed = self._clock()
                window.depart(departed)
                return Permit(departed)
        except TimeoutError:
            raise too_long(None) from None
        finally:
            waiting.discard(this)

    async def settle(self, permit: Permit, feedback: Feedback) -> None:
        """Give a permit back; see `Limiter.settle`."""
        if self._home.loop is not asyncio.get_running_loop():
            self._enter_loop()
        window = self._window
        window.settle(self._clock(), permit.departed, feedback)
        self._pace.follow(feedback.reading, window.limit)
        if self._waiting:
            self._changed.set()

    def recheck(self) -> None:
        """Read the clock again, for clocks that are set manually."""
        if self._home.loop is not None:
            self._changed.set()

    def _delay(self, now: float) -> float:
        self._window.advance(now)
        return self._window.delay(now)

    async def _pass_gate(self, waits_until: float) -> None:
        while (delay := self._delay(self._clock())) > 0:
            if delay < math.inf and self._clock() + delay > waits_until:
                raise too_long(delay)
            self._changed.clear()
            try:
                async with asyncio.timeout(None if delay == math.inf else delay):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _refuse_long_wait(self, max_wait: float | None) -> None:
        delay = self._delay(self._clock())
        if max_wait is not None and max_wait < delay < math.inf:
            raise too_long(delay)

    def _enter_loop(self) -> None:
        if self._home.enter():
            self._turnstile = asyncio.Lock()
            self._changed = asyncio.Event()
            self._waiting = set[object]()
            self._pace = Pace(self._window.limit, self._window.period)


def too_long(delay: float | None) -> RateLimitError:
    """Return the error for a wait that would exceed `max_wait`.

    Args:
        delay: the seconds that it would take; None if unknown.
    """
    needed = "" if delay is None else f" of {delay:.1f} s"
    return RateLimitError(
        f"not sent: the wait{needed} for the rate limit is longer than max_wait allows", retry_after=delay
    )


publish("persona_cases.limits", Limiter, LimiterState, LocalLimiter, Permit)
