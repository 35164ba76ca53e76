"""Exports in a time of their own, against a server with a latency and a rate limit: minutes pass in milliseconds."""

from __future__ import annotations

import asyncio
import math
import selectors

import attrs
from worlds import World

from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.ranges.fetcher_count import FetcherCount, Stopwatch
from persona_cases.limits import Feedback, LocalLimiter, WindowReading
from persona_cases.testing import RateLimit

_TICK = 1e-6


class TimeJumps(selectors.SelectSelector):
    """A selector that does not wait: time jumps to the end of the wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout:
            # A little later, as a timer of a real loop is: a wait that ends with rounding would begin anew forever.
            self.now += timeout + _TICK
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that never waits."""

    def __init__(self) -> None:
        self._jumps = TimeJumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now


@attrs.define
class ServerWindow:
    """The vendor's fixed window, which begins with its first request."""

    limit: RateLimit
    closes: float = -math.inf
    used: int = 0

    def spend(self) -> WindowReading | None:
        """Count a request; None refuses it."""
        now = asyncio.get_running_loop().time()
        if now >= self.closes:
            self.closes, self.used = now + self.limit.seconds, 0
        if self.used == self.limit.requests:
            return None
        self.used += 1
        reset = max(1, math.ceil(round(self.closes - now, 6)))
        return WindowReading(self.limit.requests, self.limit.requests - self.used, reset)


@attrs.define(kw_only=True)
class LimitedWorld(World):
    """Cases behind a rate limit. The requests of a client go through its limiter.

    Attributes:
        limit: the rate limit.
        latency: the seconds that an answer takes.
        blind: whether the export does not know of the limit.
        refused: how many requests the server refused.
    """

    limit: RateLimit
    latency: float
    blind: bool = False
    refused: int = 0
    limiter: LocalLimiter = attrs.field(init=False)
    window: ServerWindow = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.limiter = LocalLimiter(clock=asyncio.get_running_loop().time)
        self.window = ServerWindow(self.limit)

    @property
    def limiter_state(self):
        return None if self.blind else self.limiter.state

    async def _arrive(self) -> None:
        permit = await self.limiter.acquire()
        self.requests += 1
        await asyncio.sleep(self.latency / 2)
        reading = self.window.spend()
        self.refused += reading is None
        await asyncio.sleep(self.latency / 2)
        await self.limiter.settle(permit, Feedback(reading=reading, answered=True))


@attrs.define
class LinesInMemory:
    """What an export asks of a spool, without a disk."""

    lines: dict[int, list[bytes]] = attrs.field(factory=dict)
    ranges: None = None
    last: FetchedRanges | None = None

    def put(self, fetched, lines):
        self.lines.setdefault(fetched.number, []).extend(map(bytes, lines))

    def put_aside(self, cases):
        raise AssertionError(cases)

    def unsafe(self, _ranges):
        return 0

    def commit_at_once(self, ranges):
        self.last = ranges
        return True

    async def commit(self, ranges, *, durable=False):
        self.last = ranges


@attrs.frozen
class Outcome:
    """What an export took."""

    seconds: float
    requests: int
    refused: int


def export(moments: list[int], limit: RateLimit, latency: float, *, now: float, blind: int | None = None) -> Outcome:
    """Export cases.

    Args:
        moments: when they were created, in milliseconds.
        limit: the rate limit of the server.
        latency: the seconds that each answer takes.
        now: the time of the export, in seconds since 1970.
        blind: how many fetchers there are, if the rate limit does not decide.
    """

    async def run() -> Outcome:
        loop = asyncio.get_running_loop()
        world = LimitedWorld(moments, limit=limit, latency=latency, blind=blind is not None)
        spool, fetchers = LinesInMemory(), FetcherCount() if blind is None else FetcherCount(most=blind)
        stopwatch = Stopwatch(wall=loop.time, busy=lambda: 0.0, now=lambda: now)
        await collect(world, spool, fetchers=fetchers, stopwatch=stopwatch)
        lines = [each for fetched in spool.last.all for each in spool.lines.get(fetched.number, ())]
        assert lines == world.lines
        return Outcome(loop.time(), world.requests, world.refused)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())
