"""One process's side of the shared window: it reports to Redis and obeys it, and continues alone without Redis."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from itertools import count
from typing import Protocol
from uuid import uuid4

import msgspec

from persona_cases.protocol.window import Feedback, believable
from persona_cases.transport.limits.limiter import LimiterState, Permit
from persona_cases.transport.limits.redis.redis_messages import (
    Known,
    RedisLostError,
    Terms,
    WindowReply,
    WindowReport,
    milliseconds,
)
from persona_cases.transport.limits.redis.redis_share import Share
from persona_cases.transport.listeners import log

_FIRST_BACKOFF = 0.25
_WINDOWS_REMEMBERED = 2
_leases = count()


class Script(Protocol):
    """The script in Redis."""

    async def run(self, report: bytes) -> bytes:
        """Run it on a report and return its reply, or raise `RedisLostError`."""
        ...


class Lease(Permit, frozen=True):
    """A permit of a `Ledger`.

    Attributes:
        born: when the state in Redis that granted it was created; 0 without Redis.
        let_go: when it was granted, on Redis' clock.
        number: distinguishes it from leases granted at the same time.
    """

    born: int = 0
    let_go: int = 0
    number: int = msgspec.field(default_factory=_leases.__next__)


class Ledger:
    """The requests of one process in one event loop.

    Args:
        script: the shared window in Redis.
        terms: the settings that the processes share.
        clock: a monotonic clock, in seconds, private to this process.
    """

    def __init__(self, script: Script, terms: Terms, clock: Callable[[], float]) -> None:
        self._script = script
        self._terms = terms
        self._clock = clock
        self._name = uuid4().hex[:12]
        self._in_flight = set[Lease]()
        self._endings: list[tuple[Lease, Feedback]] = []
        self._answer: WindowReply | None = None
        self._heard = 0.0
        self._share: Share | None = None
        self._lost_at = self._probe_at = 0.0
        self._backoff = _FIRST_BACKOFF
        # One report at a time, because each states how many requests are in flight.
        self._reporting = asyncio.Lock()

    def state(self, waiting: int) -> LimiterState:
        """Return the current knowledge; `waiting` is the number of calls that wait for a lease."""
        now, terms, answer = self._clock(), self._terms, self._answer
        if self._share is not None:
            return self._share.state(now, waiting)
        if answer is None:
            return LimiterState.of(terms.new_window(), now, waiting=waiting)
        known, own = answer.after(now - self._heard), len(self._in_flight)
        return LimiterState(
            limit=known.limit,
            remaining=max(0, known.left - own - min(terms.reserve, known.limit - 1)),
            in_flight=answer.others + own,
            waiting=waiting,
            reserve=terms.reserve,
            resets_in=None if known.ends_in is None else known.ends_in / 1000,
            cooling_for=known.cooling / 1000,
            shared=True,
        )

    async def ask(self) -> Lease | float:
        """Take a lease if a request may leave now; otherwise return the seconds until one may, infinity if unknown."""
        async with self._reporting:
            if self._share is None or self._clock() >= self._probe_at:
                try:
                    return await self._report(wants=True)
                except RedisLostError as error:
                    self._fall_back(error)
                except asyncio.CancelledError:
                    # Redis may count the request, although it will not leave.
                    await self._tell()
                    raise
            return self._ask_share()

    async def end(self, lease: Lease, feedback: Feedback) -> None:
        """Report how a leased request ended. If this is cancelled first, the next report includes it."""
        if lease not in self._in_flight:
            # The lease was granted in an event loop that is gone, or was settled before.
            return
        self._in_flight.remove(lease)
        ending = (lease, feedback)
        self._endings.append(ending)
        async with self._reporting:
            if ending in self._endings:
                await self._tell()

    async def leave(self) -> None:
        """Report what is unreported, and that this process leaves."""
        async with self._reporting:
            if self._share is None and self._answer is not None:
                await self._tell(leaves=True)

    async def _tell(self, *, leaves: bool = False) -> None:
        if self._share is None:
            try:
                await self._report(leaves=leaves)
            except RedisLostError as error:
                self._fall_back(error)
        if self._share is not None:
            self._tell_share(self._share)

    # ---- with Redis --------------------------------------------------------------------------------------------------

    async def _report(self, *, wants: bool = False, leaves: bool = False) -> Lease | float:
        """Report what is unreported, and take a lease if one is wanted and available."""
        now, terms, share, told = self._clock(), self._terms, self._share, tuple(self._endings)
        report = WindowReport(
            name=self._name,
            terms=terms,
            born=0 if self._answer is None else self._answer.born,
            heard=0 if self._answer is None else self._answer.clock,
            in_flight=sum(now - each.departed <= terms.lease for each in self._in_flight),
            wants=wants,
            leaves=leaves,
            endings=[
                (lease.born, lease.let_go, msgspec.structs.replace(feedback, reading=believable(feedback.reading)))
                for lease, feedback in told
                if feedback.sent
            ],
            known=self._known(now),
            outage=None if share is None else milliseconds(min(now - self._lost_at, terms.longest_backoff)),
            unseen=0 if share is None else share.unseen(now),
            absence=milliseconds(terms.longest_backoff + 2 * terms.timeout),
        )
        answer = msgspec.json.decode(await self._script.run(msgspec.json.encode(report)), type=WindowReply)
        self._answer, self._heard = answer, now
        del self._endings[: len(told)]
        if answer.unreadable is not None:
            log(logging.WARNING, "limiter.value_unreadable", {"bytes": answer.unreadable})
        if share is not None:
            self._share = None
            log(logging.WARNING, "limiter.redis_back", {"seconds": now - self._lost_at})
        if answer.go:
            return self._grant(Lease(now, answer.born, answer.clock))
        return math.inf if answer.wait is None else answer.wait / 1000

    def _known(self, now: float) -> Known | None:
        if self._share is not None:
            return self._share.known(now)
        if self._answer is None or now - self._heard > _WINDOWS_REMEMBERED * self._terms.period:
            return None
        return self._answer.after(now - self._heard)

    def _grant(self, lease: Lease) -> Lease:
        self._in_flight.add(lease)
        return lease

    # ---- without -----------------------------------------------------------------------------------------------------

    def _fall_back(self, error: RedisLostError) -> None:
        now, terms = self._clock(), self._terms
        if self._share is None:
            known = Known(processes=terms.processes, limit=terms.limit, left=terms.limit, cooling=0)
            if self._answer is not None:
                known = self._answer.after(now - self._heard)
            in_flight = len(self._in_flight) + len(self._endings)
            self._share = Share.of(known, terms.new_window(), in_flight, now)
            self._lost_at, self._backoff = now, _FIRST_BACKOFF
            lost = {"error": str(error), "share": self._share.part, "processes": known.processes}
            log(logging.WARNING, "limiter.redis_lost", lost)
        self._probe_at = now + self._backoff
        self._backoff = min(2 * self._backoff, terms.longest_backoff)

    def _tell_share(self, share: Share) -> None:
        for lease, feedback in self._endings:
            share.settle(self._clock(), lease.departed, feedback)
        self._endings.clear()

    def _ask_share(self) -> Lease | float:
        share = self._share
        assert share is not None, "there is a share whenever Redis is lost"  # noqa: S101
        self._tell_share(share)
        now = self._clock()
        delay = share.delay(now)
        if delay > 0:
            return delay
        share.depart(now)
        return self._grant(Lease(now))
