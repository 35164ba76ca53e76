"""`CaseSlices`: the cases of a search by ranges of creation time, as raw pages."""

from __future__ import annotations

from functools import partial

import attrs

from persona_cases.errors import PaginationError
from persona_cases.export.collector import Walk
from persona_cases.export.ranges import TimeRange
from persona_cases.models import Case, RawPage, decode_raw_page, time_of
from persona_cases.paging import LARGEST_PAGE, Fetch, Merge, Pager, Position
from persona_cases.protocol.message import Request
from persona_cases.protocol.urls import link_query
from persona_cases.query import Predicate, Q, SearchLimits, Sort
from persona_cases.resources.api import Api
from persona_cases.resources.searches import Search
from persona_cases.resources.walks import cursor_in, page_query, walk

_ASCENDING, _DESCENDING = Q.created_at.asc(), Q.created_at.desc()


@attrs.frozen
class CaseSlices:
    """The cases that an expression finds; a `PageSource` of the export.

    A range becomes part of the expression, which is planned with it. What one search holds is copied without decoding
    the cases; what takes several is merged, for which they are decoded.

    Attributes:
        api: how to reach the API.
        where: what to look for; None finds all cases.
        fields: the only attributes to load; None loads all. The creation time is always among them.
        max_searches: how many searches the expression may take.
        limits: what one search can carry, if not what the API documents.
    """

    api: Api
    where: Predicate | None = None
    fields: tuple[str, ...] | None = None
    max_searches: int = attrs.field(kw_only=True)
    limits: SearchLimits | None = attrs.field(default=None, kw_only=True)

    async def newest(self) -> RawPage:
        """Return a page of the newest cases, newest first; an empty one if there is no case."""
        pages = self._walk(self.where, _DESCENDING, None)
        try:
            async for page in pages:
                if len(page):
                    return page
        finally:
            await pages.aclose()
        return RawPage(())

    def pages(self, part: TimeRange, after: str | None) -> Walk:
        """Walk the cases of a range, oldest first.

        Args:
            part: the range.
            after: the cursor of a page of the same range; None for the beginning.

        Raises:
            PersonaError: whatever a search may raise, at the steps of the walk.
        """
        return self._walk(_within(self.where, part), _ASCENDING, after)

    def _walk(self, where: Predicate | None, sort: Sort, after: str | None) -> Walk:
        search, fieldset = Search.of(where, sort, self.max_searches, self.limits).loading(self._loaded())
        fetch = search.fetch(partial(walk, self.api, fieldset=fieldset))
        requests = search.requests()
        if len(requests) == 1:
            return self._copied(requests[0], after)
        return _decoded(fetch, after)

    def _loaded(self) -> list[str] | None:
        return None if self.fields is None else [*self.fields, _ASCENDING.attribute]

    async def _copied(self, request: Request, after: str | None) -> Walk:
        position = Position(cursor=after, backward=False, size=LARGEST_PAGE)
        seen_cursors = {after}
        while True:
            page, position = await self._fetch(request, position)
            yield page
            if page.cursor is None:
                return
            if page.cursor in seen_cursors:
                raise PaginationError("the server repeated a cursor: the walk would never end")
            seen_cursors.add(page.cursor)

    async def _fetch(self, request: Request, position: Position) -> tuple[RawPage, Position]:
        asked = attrs.evolve(request, query=page_query(request.query, position))
        (page, links), _ = await self.api.fetch(asked, decode_raw_page)
        if links.next is None:
            return page, position
        following = link_query(links.next, base=self.api.base, path=request.path)
        cursor = cursor_in(following, position)
        return attrs.evolve(page, cursor=cursor), attrs.evolve(position, cursor=cursor, following=following)


async def _decoded(fetch: Fetch[Case] | Merge[Case], after: str | None) -> Walk:
    pages = Pager(fetch=fetch).resume(after).pages()
    try:
        async for page in pages:
            yield RawPage.of(page.items, page.cursor)
    finally:
        await pages.aclose()


def _within(where: Predicate | None, part: TimeRange) -> Predicate | None:
    bounds = [
        *([] if part.low is None else [Q.created_at.gte(time_of(part.low))]),
        *([] if part.high is None else [Q.created_at.lt(time_of(part.high))]),
    ]
    if not bounds:
        return where
    return Q.all_of(bounds if where is None else [where, *bounds])
