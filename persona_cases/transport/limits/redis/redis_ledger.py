"""One process's side of the shared value: it asks for leases, tells how requests ended, and gets by without Redis."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from uuid import uuid4

import attrs

from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.transport.limits.limiter import LimiterState
from persona_cases.transport.limits.redis.redis_share import Share
from persona_cases.transport.limits.redis.redis_state import Ending, Lease, SharedState, copied, decode, encode
from persona_cases.transport.limits.redis.redis_value import Held, RedisLostError, RedisValue
from persona_cases.transport.listeners import log

_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.25, 5.0
_WINDOWS_KEPT = 4
_HEARTBEATS_A_WINDOW = 4


@attrs.frozen(kw_only=True)
class Terms:
    """What the processes agree on, by being set up alike.

    Attributes:
        limit: requests a window, until the server's headers tell.
        period: seconds a window.
        reserve: how many requests of a window to leave to others.
        lease: seconds after which a request is taken for ended if its process has not said so.
        processes: how many processes to reckon with while Redis has never told.
        timeout: the most seconds that one command to Redis may take.
    """

    limit: int
    period: float
    reserve: int
    lease: float
    processes: int
    timeout: float

    @property
    def longest_backoff(self) -> float:
        """Seconds after which a process that sends requests tries Redis again at the latest."""
        return min(_LONGEST_BACKOFF, self.period)

    def new_window(self) -> RateWindow:
        """A window of which nothing is known."""
        return RateWindow(self.limit, self.period, reserve=self.reserve)


@attrs.frozen
class Knowledge:
    """What was last read or written, and when, on our own clock."""

    state: SharedState
    heard: float


@attrs.frozen
class Step:
    """One transition of the shared value."""

    state: SharedState
    now: float
    heard: float
    endings: tuple[Ending, ...]
    delay: float
    lease: Lease | None
    to_write: bool


class Ledger:
    """Leases of one process in one event loop.

    Args:
        value: the shared value in Redis.
        terms: what the processes agree on.
        clock: a monotonic clock, in seconds; nobody else sees it.
    """

    def __init__(self, value: RedisValue, terms: Terms, clock: Callable[[], float]) -> None:
        self._value = value
        self._terms = terms
        self._clock = clock
        self._name = uuid4().hex[:12]
        self._leases_given = 0
        self._leases: dict[str, Lease] = {}
        self._endings: list[Ending] = []
        self._attempted: set[Ending] = set()
        self._known: Knowledge | None = None
        self._share: Share | None = None
        # How far the clock of the value is ahead of ours. Nothing is taken from ours but the time that passes.
        self._offset = 0.0
        self._lost_at = 0.0
        self._probe_at = 0.0
        self._backoff = _FIRST_BACKOFF
        self._in_doubt = False
        self._exchanging = asyncio.Lock()

    def state(self, waiting: int) -> LimiterState:
        """Return what is known now; `waiting` is how many wait for a lease."""
        now = self._clock() + self._offset
        if self._share is not None:
            state = LimiterState.of(self._share.window, now, waiting=waiting)
            return attrs.evolve(state, limit=self._share.part, remaining=self._share.remaining)
        if self._known is None:
            return LimiterState.of(self._terms.new_window(), now, waiting=waiting)
        return LimiterState.of(self._known.state.window, now, waiting=waiting, shared=True)

    async def ask(self) -> Lease | float:
        """Take a lease if a request may leave now; else return the seconds until one may, infinity if nobody knows.

        Cancelled, it may leave a lease behind in Redis: `clear_doubts`.
        """
        async with self._exchanging:
            if self._share is None or self._clock() >= self._probe_at:
                try:
                    return await self._exchange(wants=True)
                except RedisLostError as error:
                    self._fall_back(error)
            return self._ask_share()

    async def end(self, lease: Lease, feedback: Feedback) -> None:
        """Tell how a leased request ended. Cancelled before it is told, it is told with whatever is asked next."""
        if lease.process != self._name or self._leases.pop(lease.id, None) is None:
            # Given in an event loop that is gone, or settled before.
            return
        ending = Ending(lease, feedback)
        self._endings.append(ending)
        async with self._exchanging:
            if ending in self._endings:
                await self._tell()

    async def clear_doubts(self) -> None:
        """Take back what a cancelled `ask` may have left in Redis."""
        async with self._exchanging:
            if self._in_doubt:
                await self._tell()

    async def leave(self) -> None:
        """Tell what is untold, and that this process goes."""
        async with self._exchanging:
            if self._share is None and self._known is not None:
                try:
                    await self._exchange(leaves=True)
                except RedisLostError as error:
                    self._fall_back(error)

    async def _tell(self) -> None:
        if self._share is None:
            try:
                await self._exchange()
            except RedisLostError as error:
                self._fall_back(error)
        if self._share is not None:
            self._tell_share(self._share)

    # ---- with Redis --------------------------------------------------------------------------------------------------

    async def _exchange(self, *, wants: bool = False, leaves: bool = False) -> Lease | float:
        """Tell what is untold; if a lease is wanted, take one if there is one."""
        held = await self._value.read()
        while True:
            step = self._step(held, wants=wants, leaves=leaves)
            if not step.to_write:
                break
            self._in_doubt = True
            self._attempted.update(step.endings)
            newer = await self._value.swap(held, encode(step.state), self._lifetime(step.delay))
            if newer is None:
                self._in_doubt = False
                break
            held = newer
        self._come_back()
        self._known, self._offset = Knowledge(step.state, step.heard), step.now - step.heard
        self._endings = self._endings[len(step.endings) :]
        self._attempted.clear()
        if step.lease is None:
            return step.delay
        self._leases[step.lease.id] = step.lease
        return step.lease

    def _step(self, held: Held, *, wants: bool, leaves: bool) -> Step:
        heard = self._clock()
        state, now = self._read(held, heard)
        window, told = state.window, tuple(self._endings)
        # An earlier write may have told some, although nobody learned that it was done.
        endings = [each for each in told if each not in self._attempted or state.has(self._name, each.lease.id)]
        window.period, window.reserve = self._terms.period, self._terms.reserve
        state.expire(now, self._terms.lease)
        heartbeat = self._terms.period / _HEARTBEATS_A_WINDOW
        news = state.state_own(self._name, now, self._departed(endings, now - heard, heard), heartbeat=heartbeat)
        for each in endings:
            state.end(self._name, now, each.lease.id, each.feedback)
        window.advance(now)
        delay, lease = window.delay(now), None
        if wants and delay <= 0:
            lease = self._new_lease(heard)
            state.grant(self._name, now, lease.id)
        if leaves:
            state.leave(self._name)
        to_write = news or leaves or bool(told) or lease is not None or self._in_doubt or self._share is not None
        return Step(state, now, heard, told, delay, lease, to_write)

    def _departed(self, endings: list[Ending], offset: float, heard: float) -> dict[str, float]:
        """Say when our requests departed, on Redis' clock: those in flight, and those that ended."""
        in_flight = [each for each in self._leases.values() if heard - each.departed <= self._terms.lease]
        leases = [*in_flight, *(each.lease for each in endings)]
        return {each.id: min(heard, each.departed) + offset for each in leases}

    def _new_lease(self, departed: float) -> Lease:
        self._leases_given += 1
        return Lease(departed, str(self._leases_given), self._name)

    def _read(self, held: Held, heard: float) -> tuple[SharedState, float]:
        state = None if held.text is None else decode(held.text, held.server_time)
        if state is None and held.text is not None:
            log(logging.WARNING, "limiter.value_unreadable", {"bytes": len(held.text)})
        if self._share is not None:
            return self._merge(self._share, state, held.server_time, heard)
        if state is None:
            state = SharedState(self._terms.new_window())
            # Not used for long, or lost? If others were there a moment ago, they still are.
            state.born = state.now(held.server_time)
            self._presume(state, state.born)
        return state, state.now(held.server_time)

    def _merge(
        self, share: Share, state: SharedState | None, server_time: float, heard: float
    ) -> tuple[SharedState, float]:
        """Bring in what was sent without Redis."""
        outage = min(heard - self._lost_at, self._terms.longest_backoff)
        if state is not None:
            now = state.now(server_time)
            if self._known is None or state.others_since(self._name, now - outage):
                state.count_unseen(now, share.uncounted(heard + self._offset))
                return state, now
        # Nobody has gone on with the window in Redis: ours is the better one.
        members = {} if state is None else state.members
        now = heard + self._offset
        merged = SharedState(copied(share.window), members, server_time, now - server_time, now)
        self._presume(merged, now)
        return merged, now

    def _presume(self, state: SharedState, now: float) -> None:
        others = set(state.members)
        if self._known is not None and self._clock() - self._known.heard < 2 * self._terms.period:
            others |= set(self._known.state.members)
        part = max(1, state.window.limit // self._processes())
        until = now + self._terms.longest_backoff + 2 * self._terms.timeout
        state.presume(others - {self._name}, now, part, until)

    def _lifetime(self, delay: float) -> float:
        wait = 0.0 if delay == math.inf else delay
        return max(_WINDOWS_KEPT * self._terms.period, self._terms.lease) + wait

    # ---- without -----------------------------------------------------------------------------------------------------

    def _processes(self) -> int:
        return self._terms.processes if self._known is None else max(1, len(self._known.state.members))

    def _fall_back(self, error: RedisLostError) -> None:
        now = self._clock()
        if self._share is None:
            window = self._terms.new_window() if self._known is None else copied(self._known.state.window)
            in_flight = len(self._leases) + len(self._endings)
            self._share = Share.of(window, self._processes(), in_flight, now + self._offset)
            self._lost_at, self._backoff = now, _FIRST_BACKOFF
            part, processes = self._share.part, self._processes()
            lost = {"error": str(error), "share": part, "processes": processes}
            log(logging.WARNING, "limiter.redis_lost", lost)
        self._probe_at = now + self._backoff
        self._backoff = min(2 * self._backoff, self._terms.longest_backoff)

    def _come_back(self) -> None:
        if self._share is not None:
            self._share = None
            log(logging.WARNING, "limiter.redis_back", {"seconds": self._clock() - self._lost_at})

    def _tell_share(self, share: Share) -> None:
        now = self._clock() + self._offset
        for each in self._endings:
            share.end(now, each.lease.departed + self._offset, each.feedback)
        self._endings.clear()
        self._attempted.clear()

    def _ask_share(self) -> Lease | float:
        share = self._share
        assert share is not None, "there is a share whenever Redis is lost"  # noqa: S101
        self._tell_share(share)
        now = self._clock()
        delay = share.delay(now + self._offset)
        if delay > 0:
            return delay
        share.depart(now + self._offset)
        lease = self._new_lease(now)
        self._leases[lease.id] = lease
        return lease
