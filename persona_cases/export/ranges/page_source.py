"""`PageSource`: the protocol by which an export gets its pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import ClassVar, Protocol, TypeAlias

from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.transport.limits.limiter import LimiterState

__all__ = ["PageSource", "RawPages"]

RawPages: TypeAlias = AsyncGenerator[RawPage, None]
"""Pages in a row; the last one has no cursor."""


class PageSource(Protocol):
    """Where pages come from. The cases are those of one query, and always the same one.

    Walks go from old to new, or all of them from new to old; then the pages and ranges tell time backward.

    Attributes:
        backward: whether walks go from new to old.
    """

    backward: ClassVar[bool]

    @property
    def pages_per_fetcher(self) -> float:
        """How many pages make another fetcher worth having."""
        ...

    @property
    def limiter_state(self) -> LimiterState | None:
        """What is known of the rate limit now; None if there is no limit."""
        ...

    async def far_end(self) -> RawPage:
        """Return a page from where a walk of everything would end, in the opposite order.

        An empty one if there is no case there.
        """
        ...

    def pages(self, part: TimeRange, after: str | None) -> RawPages:
        """Fetch the cases of a range.

        Args:
            part: the range.
            after: the cursor to go on from, which belongs to the same range; None for the beginning.
        """
        ...

    def together(self, parts: Sequence[TimeRange]) -> RawPages | None:
        """Fetch the cases of several ranges as those of one; None if the source cannot.

        Args:
            parts: the ranges, in the order of time.
        """
        ...
