"""Walking a list or a search as raw pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from persona_cases.errors import PaginationError
from persona_cases.export.page_source import Walk
from persona_cases.models import Links, RawPage
from persona_cases.paging import LARGEST_PAGE, Position
from persona_cases.protocol.message import Request
from persona_cases.protocol.urls import link_query
from persona_cases.resources.api import Api
from persona_cases.resources.walks import cursor_in, page_query

Decode: TypeAlias = Callable[[bytes], tuple[RawPage, Links]]
"""From the body of an answer to a page, whose cursor is yet to be found from the links, and the links."""


async def raw_walk(api: Api, request: Request, decode: Decode, after: str | None, size: int = LARGEST_PAGE) -> Walk:
    """Walk the pages of a list or a search.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        decode: reads a page.
        after: the cursor to go on from; None for the beginning.
        size: cases a page.

    Raises:
        PersonaError: whatever a request may raise.
        PaginationError: if the server repeats a cursor.
    """
    position = Position(cursor=after, backward=False, size=size)
    seen = {after}
    while True:
        asked = attrs.evolve(request, query=page_query(request.query, position))
        (page, links), _ = await api.fetch(asked, decode)
        if links.next is None:
            yield page
            return
        following = link_query(links.next, base=api.base, path=request.path)
        cursor = cursor_in(following, position)
        yield page.before(cursor)
        if cursor in seen:
            raise PaginationError("the server repeated a cursor: the walk would never end")
        seen.add(cursor)
        position = Position(cursor=cursor, backward=False, size=size, following=following)
