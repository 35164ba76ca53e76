"""The limiter for any number of processes and hosts, which share one window in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import seconds, whole_number
from persona_cases.protocol.window import Feedback
from persona_cases.surface import publish
from persona_cases.transport.home_loop import HomeLoop
from persona_cases.transport.limits.limiter import LimiterState, Permit, too_long
from persona_cases.transport.limits.pacing import Pace
from persona_cases.transport.limits.redis.redis_ledger import Lease, Ledger
from persona_cases.transport.limits.redis.redis_messages import Terms

if TYPE_CHECKING:
    from persona_cases.transport.limits.redis.redis_script import RedisClient, RedisScript

__all__ = ["RedisLimiter"]

_API_KEY = re.compile(r"persona_(sandbox|production)_", re.IGNORECASE)
_NAME = re.compile(r"[\x21-\x7e]{1,200}")
# Increase it when the fields of the state change: library versions with different fields must not share a state.
_LAYOUT = 2
# Other processes' news arrives by polling: often while a response may arrive at any moment, otherwise seldom.
_ASK_AGAIN_SOON, _ASK_AGAIN = 0.03, 0.5


class RedisLimiter:
    """Keeps all processes that share an environment within its rate limit.

    They share one window in Redis: a value of counts and times, without any data of the requests. A script changes it
    atomically, using only the clock of the Redis server. The value expires a few windows after its last use.

    While Redis is unreachable, each process continues with an equal share of the limit. It logs this once, as
    `limiter.redis_lost`. A process that sends requests retries Redis every few seconds, and logs `limiter.redis_back`.

    Within a process, calls are served in order of arrival. With a URL, the limiter opens its own connections: use it as
    an asynchronous context manager, or call `aclose`, in each event loop that used it.

    Args:
        redis: a `redis.asyncio.Redis` or `RedisCluster`, which the limiter does not close, or a URL:
            `redis://localhost:6379/0`.
        environment: a name for the vendor's environment, such as its `env_…` id. All processes with keys of that
            environment must use the same name, and different environments different names. Do not use the API key.
        limit: requests per window, until a response reports it.
        period: seconds per window. See https://docs.withpersona.com/rate-limiting for the vendor's 300 in 60 seconds.
        reserve: how many requests of each window to leave to programs that do not share the limiter.
        namespace: the prefix of the key in Redis.
        lease: seconds after which the requests of a silent process no longer count as in flight. Default: `period`.
        processes: the number of processes to divide the limit by while Redis has never been reached.
        timeout: maximum seconds for one command to Redis.
        clock: a monotonic clock, in seconds. It only measures durations, so processes need not agree on it.

    Raises:
        InvalidArgumentError: if an argument is invalid.
        ImportError: if the redis package is not installed.
    """

    def __init__(
        self,
        redis: RedisClient | str,
        *,
        environment: str,
        limit: int = 300,
        period: float | timedelta = 60.0,
        reserve: int = 0,
        namespace: str = "persona-cases",
        lease: float | timedelta | None = None,
        processes: int = 4,
        timeout: float | timedelta = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limit = whole_number(limit, "limit")
        self._terms = Terms(
            limit=limit,
            period=seconds(period, "period"),
            reserve=whole_number(reserve, "reserve", least=0, most=limit - 1),
            lease=seconds(period if lease is None else lease, "lease"),
            processes=whole_number(processes, "processes"),
            timeout=seconds(timeout, "timeout"),
        )
        self._environment = _checked_name(environment, "environment")
        key = f"{_checked_name(namespace, 'namespace')}:window:{_LAYOUT}:{self._environment}"
        self._script = _script(redis, key, self._terms.timeout)
        self._clock = clock
        self._waiting = set[object]()
        self._opens_at: float | None = None
        self._home = HomeLoop()
        self._ledger: Ledger | None = None

    def __repr__(self) -> str:
        terms = self._terms
        return f"RedisLimiter(environment={self._environment!r}, limit={terms.limit}, period={terms.period:g})"

    @property
    def state(self) -> LimiterState:
        """The last known state of the window; while Redis is unreachable, the state of this process's share."""
        if self._ledger is None:
            return LimiterState.of(self._terms.new_window(), 0.0, waiting=0)
        return self._ledger.state(len(self._waiting))

    async def acquire(self, max_wait: float | timedelta | None = None) -> Permit:
        """Wait until a request may be sent; see `Limiter.acquire`."""
        ledger = self._enter_loop()
        patience = None if max_wait is None else seconds(max_wait, "max_wait", least=0.0)
        waits_until = math.inf if patience is None else self._clock() + patience
        if self._opens_at is not None and self._opens_at > waits_until:
            raise too_long(self._opens_at - self._clock())
        # When this call ends, another loop with other waiting calls may have taken over.
        waiting, this = self._waiting, object()
        waiting.add(this)
        try:
            # Commands to Redis, of this call and the one ahead, do not count as waiting for the rate limit.
            longest = None if patience is None else patience + 2 * self._terms.timeout
            async with asyncio.timeout(longest), self._turnstile:
                await self._pace.acquire()
                return await self._pass_gate(ledger, waits_until)
        except TimeoutError:
            raise too_long(None) from None
        finally:
            waiting.discard(this)

    async def settle(self, permit: Permit, feedback: Feedback) -> None:
        """Give a permit back; see `Limiter.settle`."""
        ledger = self._enter_loop()
        if not isinstance(permit, Lease):
            raise InvalidArgumentError("permit: give back what this limiter's acquire() returned")
        self._pace.follow(feedback.reading)
        await ledger.end(permit, feedback)
        self._changed.set()

    async def aclose(self) -> None:
        """Tell the other processes that this one leaves, and close the limiter's own connections.

        The limiter can be used again afterwards.
        """
        if self._ledger is not None and self._home.loop is asyncio.get_running_loop():
            await self._ledger.leave()
            await self._script.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _pass_gate(self, ledger: Ledger, waits_until: float) -> Permit:
        try:
            while True:
                self._changed.clear()
                answer = await ledger.ask()
                if isinstance(answer, Lease):
                    return answer
                await self._wait_for_change(answer, waits_until)
        finally:
            self._opens_at = None

    async def _wait_for_change(self, delay: float, waits_until: float) -> None:
        now = self._clock()
        self._opens_at = None if delay == math.inf else now + delay
        if now >= waits_until or waits_until < now + delay < math.inf:
            raise too_long(None if delay == math.inf else delay)
        soon = delay == math.inf or delay <= 1.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(delay, _ASK_AGAIN_SOON if soon else _ASK_AGAIN, waits_until - now)):
                await self._changed.wait()

    def _enter_loop(self) -> Ledger:
        # The process's name in Redis does not outlive a loop either.
        if self._home.enter() or self._ledger is None:
            self._turnstile = asyncio.Lock()
            self._changed = asyncio.Event()
            self._pace = Pace(self._terms.limit, self._terms.period)
            self._waiting, self._opens_at = set[object](), None
            self._ledger = Ledger(self._script, self._terms, self._clock)
        return self._ledger


def _script(redis: object, key: str, timeout: float) -> RedisScript:
    try:
        from persona_cases.transport.limits.redis.redis_script import RedisScript  # noqa: PLC0415 - needs an extra
    except ImportError as error:
        raise ImportError("RedisLimiter needs the redis package: pip install 'persona-cases[redis]'") from error
    return RedisScript(redis, key, timeout)


def _checked_name(value: object, argument: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidArgumentError(f"{argument} must be 1 to 200 printable ASCII characters without spaces")
    if _API_KEY.search(value):
        raise InvalidArgumentError(
            f"{argument} looks like an API key, which must not be stored in Redis: give any name for the environment "
            "that the key belongs to, such as its env_… id"
        )
    return value


publish("persona_cases.limits", RedisLimiter)
