"""Walking a list or a search as raw pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from typing import TypeAlias

import attrs

from persona_cases.errors import PaginationError, naming
from persona_cases.export.ranges.page_source import RawPages
from persona_cases.models.decoding.decode import Links
from persona_cases.models.decoding.raw_page import Line, RawPage, decode_raw_page
from persona_cases.models.decoding.undecodable import Undecodable
from persona_cases.paging import LARGEST_PAGE, Fetch, Page, Pager, Position
from persona_cases.paging.walk_progress import Progress
from persona_cases.protocol.addresses.urls import link_query
from persona_cases.protocol.message import Request
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.page_requests import cursor_in, page_query
from persona_cases.resources.reading.searches import Search


@attrs.frozen
class RawCase:
    """A case that is hardly looked into, for merging the pages of several searches.

    Attributes:
        id: its id.
        created_at: when it was created.
        line: the case on one line.
    """

    id: str
    created_at: datetime
    line: Line


Decode: TypeAlias = Callable[[bytes], tuple[RawPage, Links]]
"""From the body of an answer to a page, whose cursor is yet to be found from the links, and the links."""


async def raw_walk(api: Api, request: Request, decode: Decode, after: str | None, size: int = LARGEST_PAGE) -> RawPages:
    """Fetch the pages of a list or a search.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        decode: reads a page.
        after: the cursor to go on from; None for the beginning.
        size: cases a page.

    Raises:
        PersonaError: whatever a request may raise.
        PaginationError: if the server repeats a cursor, or sends too many empty pages.
    """
    position = Position(cursor=after, backward=False, size=size)
    seen, progress = {after}, Progress()
    while True:
        asked = attrs.evolve(request, query=page_query(request.query, position))
        (page, links), call = await api.fetch(asked, decode)
        if links.next is None:
            yield page.brought_by(call, None)
            return
        with naming(call):
            following = link_query(links.next, base=api.base, path=request.path)
            cursor = cursor_in(following, position)
        yield page.brought_by(call, cursor)
        with naming(call):
            # The ends tell one page from others, and the ids of all cases would have to be found for this alone.
            progress.see(() if not len(page) else (page.id(0), page.id(len(page) - 1)))
            if cursor in seen:
                raise PaginationError("the server repeated a cursor: the walk would never end")
        seen.add(cursor)
        position = Position(cursor=cursor, backward=False, size=size, following=following)


async def merged_walk(api: Api, search: Search, after: str | None) -> RawPages:
    """Fetch the pages of a search that takes several requests, or none.

    Args:
        api: how to reach the API.
        search: the search, in the order of creation.
        after: the cursor to resume from; None for the beginning.

    Raises:
        PersonaError: whatever a request may raise.
    """
    aside = list[Undecodable]()
    pager = Pager(fetch=search.fetch_by(lambda request: _raw_fetch(api, request, aside), lambda case: case.created_at))
    async with aclosing((pager if after is None else pager.resume(after)).pages()) as pages:
        async for page in pages:
            found, aside[:] = tuple(aside), ()
            yield RawPage([case.line for case in page], page.next_cursor, aside=found, call=page.call)


def _raw_fetch(api: Api, request: Request, aside: list[Undecodable]) -> Fetch[RawCase]:
    async def fetch(position: Position) -> Page[RawCase]:
        asked = attrs.evolve(request, query=page_query(request.query, position))
        (page, links), call = await api.fetch(asked, decode_raw_page)
        page = page.sound()
        aside.extend(page.aside)
        with naming(call):
            following = () if links.next is None else link_query(links.next, base=api.base, path=request.path)
            return Page(
                items=tuple(RawCase(page.id(at), page.created_at(at), page.lines[at]) for at in range(len(page))),
                next_cursor=None if links.next is None else cursor_in(following, position),
                request_id=call.request_id,
                following=following,
                call=call,
            )

    return fetch
