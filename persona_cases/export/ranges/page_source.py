"""`PageSource`: the protocol of the pages of an export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import ClassVar, Protocol

from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.transport.limits.limiter import LimiterState

__all__ = ["PageSource", "RawPages"]


class RawPages(Protocol):
    """Consecutive pages, such as an asynchronous generator yields; the last one has no cursor."""

    def __aiter__(self) -> AsyncIterator[RawPage]: ...

    def __anext__(self) -> Awaitable[RawPage]: ...

    def aclose(self) -> Awaitable[None]:
        """End the iteration and any request in progress."""
        ...


class PageSource(Protocol):
    """The pages of one query.

    Every iteration goes from old to new, or every iteration goes from new to old. In the latter case, time runs
    backward in pages and ranges.

    Attributes:
        backward: whether iterations go from new to old.
    """

    backward: ClassVar[bool]

    @property
    def pages_per_fetcher(self) -> float:
        """Number of pages that make another fetcher worthwhile."""
        ...

    @property
    def limiter_state(self) -> LimiterState | None:
        """The current state of the rate limit; None if there is no limit."""
        ...

    async def far_end(self) -> RawPage:
        """Return the last page of all cases, in the opposite order; an empty page if there are no cases."""
        ...

    def pages(self, time_range: TimeRange, after: str | None) -> RawPages:
        """Fetch the cases of a range.

        Args:
            time_range: the range.
            after: the cursor to resume from, of the same range; None for the beginning.
        """
        ...

    def together(self, parts: Sequence[TimeRange]) -> RawPages | None:
        """Fetch the cases of several ranges as those of one; None if the source cannot.

        Args:
            parts: the ranges, in the order of time.
        """
        ...
