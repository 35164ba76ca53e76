"""`TurnedSource`: presents a source that reads from new to old as one whose time runs backward."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import ClassVar, Protocol

import attrs

from persona_cases.export.ranges.page_source import RawPages
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.transport.limits.limiter import LimiterState

__all__ = ["NewestFirst", "TurnedSource"]


class NewestFirst(Protocol):
    """A `PageSource` in the opposite order: its pages go from new to old, in ordinary time."""

    @property
    def pages_per_fetcher(self) -> float:
        """Number of pages that make another fetcher worthwhile."""
        ...

    @property
    def limiter_state(self) -> LimiterState | None:
        """The current state of the rate limit; None if there is no limit."""
        ...

    async def far_end(self) -> RawPage:
        """Return a page of the oldest cases, oldest first."""
        ...

    def pages(self, time_range: TimeRange, after: str | None) -> RawPages:
        """Fetch the cases of a time range, newest first."""
        ...


@attrs.frozen
class TurnedSource:
    """The only place that reverses time: with negated timestamps, they ascend in every iteration.

    Attributes:
        source: reads from new to old.
    """

    source: NewestFirst

    backward: ClassVar[bool] = True

    @property
    def pages_per_fetcher(self) -> float:
        """Number of pages that make another fetcher worthwhile."""
        return self.source.pages_per_fetcher

    @property
    def limiter_state(self) -> LimiterState | None:
        """The current state of the rate limit; None if there is no limit."""
        return self.source.limiter_state

    async def far_end(self) -> RawPage:
        """Return a page of the oldest cases, oldest first; an empty page if there are none."""
        return (await self.source.far_end()).turned()

    async def pages(self, time_range: TimeRange, after: str | None) -> AsyncGenerator[RawPage]:
        """Fetch the cases of a time range, newest first.

        Args:
            time_range: the range, in time that runs backward.
            after: the cursor of a page of the same range; None for the beginning.
        """
        async with aclosing(self.source.pages(time_range.turned(), after)) as pages:
            async for page in pages:
                yield page.turned()

    def together(self, parts: Sequence[TimeRange]) -> None:
        """Return None, because a list cannot skip the time between ranges."""
