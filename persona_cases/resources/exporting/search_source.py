"""`SearchSource`: the cases of a search by ranges of creation time, as raw pages."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar

import msgspec

from persona_cases import query
from persona_cases.errors import QueryTooComplexError
from persona_cases.export.ranges.fetcher_count import PAGES_PER_FETCHER
from persona_cases.export.ranges.page_source import RawPages
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage, decode_raw_page
from persona_cases.query import Predicate, Q, Sort
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.raw_walks import merged_walk, raw_walk
from persona_cases.resources.reading.searches import Search
from persona_cases.transport.limits.limiter import LimiterState

_ASCENDING, _DESCENDING = Q.created_at.asc(), Q.created_at.desc()


class SearchSource(msgspec.Struct, frozen=True, kw_only=True):
    """The cases that a search finds; a `PageSource` of the export.

    The range becomes part of the expression before it is planned. Cases are copied without decoding. If the expression
    takes several searches, their results are merged by creation time.

    Attributes:
        api: how to reach the API.
        where: the search expression; None finds all cases.
        only: the only attributes to load; None loads all. The creation time is always included.
        max_searches: maximum number of searches that the expression may take.
        limits: the limits of one search, if they differ from the documented ones.
    """

    api: Api
    where: Predicate | None = None
    only: tuple[str, ...] | None = None
    max_searches: int
    limits: query.SearchLimits | None = None

    backward: ClassVar[bool] = False

    @property
    def pages_per_fetcher(self) -> float:
        """Number of pages that make another fetcher worthwhile."""
        return PAGES_PER_FETCHER

    @property
    def limiter_state(self) -> LimiterState:
        """The current state of the rate limit."""
        return self.api.limiter_state

    async def far_end(self) -> RawPage:
        """Return a page of the newest cases, newest first; an empty page if there are none."""
        async with aclosing(self._walk(self.where, _DESCENDING, None)) as pages:
            async for page in pages:
                if len(page):
                    return page
        return RawPage(())

    def pages(self, time_range: TimeRange, after: str | None) -> RawPages:
        """Fetch the cases of a range, oldest first.

        Args:
            time_range: the range.
            after: the cursor of a page of the same range; None for the beginning.

        Raises:
            PersonaError: any error that a search can raise, during the iteration.
        """
        return self._walk(time_range.narrow(self.where), _ASCENDING, after)

    def together(self, parts: Sequence[TimeRange]) -> RawPages | None:
        """Fetch the cases of several ranges with one search, oldest first; None if that takes several searches.

        Args:
            parts: the ranges, in the order of time.
        """
        where = Q.any_of(each for part in parts if (each := part.narrow()) is not None)
        whole = where if self.where is None else self.where & where
        try:
            search, _ = Search.of(whole, _ASCENDING, 1, self.limits).loading(self._loaded())
        except QueryTooComplexError:
            return None
        requests = search.requests()
        # Each range alone is known to be empty, so no request is needed.
        return raw_walk(self.api, requests[0], decode_raw_page, None) if requests else None

    def _walk(self, where: Predicate | None, sort: Sort, after: str | None) -> RawPages:
        search, _ = Search.of(where, sort, self.max_searches, self.limits).loading(self._loaded())
        if search.merged or not search.requests():
            return merged_walk(self.api, search, after)
        return raw_walk(self.api, search.requests()[0], decode_raw_page, after)

    def _loaded(self) -> list[str] | None:
        return None if self.only is None else [*self.only, _ASCENDING.attribute]
