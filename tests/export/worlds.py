"""Cases in memory, behind the protocol by which an export gets its pages."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from functools import lru_cache
from typing import ClassVar

import attrs
from hypothesis import strategies as st

from persona_cases.export.ranges.fetcher_count import PAGES_PER_FETCHER
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage, time_of

YEAR = 365 * 86_400_000


@lru_cache(maxsize=100_000)
def line(number: int, moment: int) -> bytes:
    """A case as one line of JSON."""
    created = time_of(moment).isoformat(timespec="milliseconds")
    return b'{"type":"case","id":"case_%d","attributes":{"created_at":"%b"}}' % (number, created.encode())


@attrs.define
class World:
    """Cases in the server's order: by creation, and among equal times by number.

    Attributes:
        moments: when each case was created, ascending.
        size: cases a page.
        empty_at: where an empty page comes before the one that starts there.
        before: called before each answer, with the number of the request; it may wait, raise, or change the world.
        asked: the ranges and cursors asked for.
    """

    moments: list[int]
    size: int = 100
    empty_at: frozenset[int] = frozenset()
    before: Callable[[int], object] | None = None
    asked: list[tuple[TimeRange, str | None]] = attrs.field(factory=list)
    asked_together: list[tuple[TimeRange, ...]] = attrs.field(factory=list)
    joins: bool = True
    requests: int = 0
    running: int = 0
    most_running: int = 0
    backward: ClassVar[bool] = False
    pages_per_fetcher: ClassVar[float] = PAGES_PER_FETCHER
    limiter_state: ClassVar[None] = None

    @property
    def lines(self) -> list[bytes]:
        return [line(number, moment) for number, moment in enumerate(self.moments)]

    async def far_end(self) -> RawPage:
        await self._arrive()
        last = len(self.moments)
        numbers = range(last - 1, max(-1, last - 1 - self.size), -1)
        return RawPage([line(number, self.moments[number]) for number in numbers], None)

    async def pages(self, time_range: TimeRange, after: str | None) -> AsyncGenerator[RawPage, None]:
        while True:
            self.asked.append((time_range, after))
            await self._arrive()
            page = self.page(time_range, after)
            yield page
            after = page.next_cursor
            if after is None:
                return

    def together(self, parts: Sequence[TimeRange]) -> AsyncGenerator[RawPage, None] | None:
        return self.pages_together(parts) if self.joins else None

    async def pages_together(self, parts: Sequence[TimeRange]) -> AsyncGenerator[RawPage, None]:
        numbers = [number for number, moment in enumerate(self.moments) if any(moment in part for part in parts)]
        for start in range(0, max(1, len(numbers)), self.size):
            self.asked_together.append(tuple(parts))
            await self._arrive()
            lines = [line(number, self.moments[number]) for number in numbers[start : start + self.size]]
            yield RawPage(lines, f"+{start}" if start + self.size < len(numbers) else None)

    def page(self, time_range: TimeRange, after: str | None) -> RawPage:
        low = 0 if time_range.low is None else bisect_left(self.moments, time_range.low)
        high = len(self.moments) if time_range.high is None else bisect_left(self.moments, time_range.high)
        start = low if after is None else int(after.removeprefix("!"))
        if start in self.empty_at and start < high and (after or "")[:1] != "!":
            return RawPage([], f"!{start}")
        stop = min(start + self.size, high)
        lines = [line(number, self.moments[number]) for number in range(start, stop)]
        return RawPage(lines, str(stop) if stop < high else None)

    async def _arrive(self) -> None:
        self.requests += 1
        number = self.requests
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            # Answers come in another order than questions.
            for _ in range(1 + number * 7 % 5):
                await asyncio.sleep(0)
            if self.before is not None:
                waiting = self.before(number)
                if asyncio.iscoroutine(waiting):
                    await waiting
        finally:
            self.running -= 1


def moments_of(clusters: Iterable[tuple[int, int, int]]) -> list[int]:
    """Moments from clusters, each of a start, a length and a number of cases spread over it."""
    return sorted(start + length * index // count for start, length, count in clusters for index in range(count))


CLUSTERS = st.tuples(st.integers(0, YEAR), st.sampled_from([0, 1, 50, 10_000, 10_000_000, YEAR]), st.integers(1, 400))
MOMENTS = st.lists(CLUSTERS, max_size=5).map(moments_of)
