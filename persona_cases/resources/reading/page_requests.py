"""From a request and a position to a page: how lists and searches of cases are walked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from persona_cases.errors import PaginationError, naming
from persona_cases.models import Case, Fieldset
from persona_cases.models.decoding.decode import CasePage, decode_page
from persona_cases.paging import Fetch, Page, Position
from persona_cases.protocol.addresses.urls import link_query
from persona_cases.protocol.message import QueryPairs, Request
from persona_cases.resources.endpoint import Api


def walk(api: Api, request: Request, fieldset: Fieldset | None) -> Fetch[Case]:
    """Return what fetches the pages of a list or a search.

    Every page is asked for with the same method, path, parameters and body; only the cursor and the page size differ.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        fieldset: the sparse fieldset that the request asks for, if it does.
    """
    return walk_by(api, request, partial(decode_page, fieldset=fieldset))


def walk_by(api: Api, request: Request, decode: Callable[[bytes], CasePage]) -> Fetch[Case]:
    """Return what fetches the pages of a list or a search, decoded in a way of one's own; see `walk`."""

    async def fetch(position: Position) -> Page[Case]:
        asked = attrs.evolve(request, query=page_query(request.query, position))
        document, call = await api.fetch(asked, decode)
        link = document.links.prev if position.backward else document.links.next
        with naming(call):
            following = () if link is None else link_query(link, base=api.base, path=request.path)
            return Page(
                items=document.cases,
                next_cursor=None if link is None else cursor_in(following, position),
                request_id=call.request_id,
                following=following,
                call=call,
            )

    return fetch


async def nothing(_position: Position) -> Page[Any]:
    """Return the only page of a search that cannot match: empty, and known without a request."""
    return Page(items=(), next_cursor=None)


def page_query(own: QueryPairs, position: Position) -> QueryPairs:
    """Return the parameters of the request for a page."""
    # A link may or may not echo the caller's parameters, and may carry others: the caller's win, and what only the
    # link has is passed on.
    ours = {name for name, _ in own}
    passed_on = tuple(
        (name, value) for name, value in position.following if name not in ours and not name.startswith("page[")
    )
    cursor = () if position.cursor is None else ((_cursor_name(position), position.cursor),)
    return (*own, *passed_on, *cursor, ("page[size]", str(position.size)))


def cursor_in(following: QueryPairs, position: Position) -> str:
    """Return the cursor that a link to the next page carries.

    Raises:
        PaginationError: if it has none.
    """
    cursor = dict(following).get(_cursor_name(position))
    if not cursor:
        raise PaginationError(f"the server's link to the next page has no {_cursor_name(position)}")
    return cursor


def _cursor_name(position: Position) -> str:
    return "page[before]" if position.backward else "page[after]"
