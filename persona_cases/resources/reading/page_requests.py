"""Page requests: from a request and a position to a page of a list or a search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from persona_cases import paging
from persona_cases.errors import Answered, PersonaError, naming
from persona_cases.models import decoding
from persona_cases.protocol.addresses.page_links import cursor_in, link_query
from persona_cases.protocol.message import QueryPairs, Request
from persona_cases.resources.endpoint import Api

if TYPE_CHECKING:
    from persona_cases.models import Case, Fieldset
    from persona_cases.models.decoding.decode import DecodedPage
    from persona_cases.models.decoding.records import Links
    from persona_cases.paging import Fetch, Identified, Page, Position

__all__ = ["Link", "case_pages", "nothing", "page_of", "pages_of"]

D = TypeVar("D")
P = TypeVar("P")
Item = TypeVar("Item", bound="Identified")


class Link(msgspec.Struct, frozen=True):
    """The call that fetched a page, and the link to the next page.

    Attributes:
        call: the call that fetched the page.
        next_cursor: the cursor of the next page; None if there is none.
        following: the query parameters in the server's link to the next page.
    """

    call: Answered
    next_cursor: str | None = None
    following: QueryPairs = ()


def pages_of(
    api: Api,
    request: Request,
    decode: Callable[[bytes], tuple[D, Links]],
    make: Callable[[D, Link], P],
    *,
    backward: bool = False,
) -> Callable[[Position], Awaitable[P]]:
    """Return a function that fetches the pages of a list or a search.

    Every page is requested with the same method, path, parameters and body; only the cursor and the page size differ.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        decode: reads the items of a page and its links from the body of a response.
        make: makes a page from them.
        backward: whether to page backward, with `page[before]`.
    """
    name = "page[before]" if backward else "page[after]"
    same = attrs.asdict(request, recurse=False)
    own = same.pop("query")
    ours = {name for name, _ in own}

    async def fetch(position: Position) -> P:
        # A link may or may not repeat the caller's parameters, and may have others. The caller's parameters win, and
        # those that only the link has are added.
        passed_on = [each for each in position.following if not each[0].startswith("page[") and each[0] not in ours]
        query = [*own, *passed_on]
        if position.cursor is not None:
            query.append((name, position.cursor))
        query.append(("page[size]", str(position.size)))
        asked = Request(**same, query=tuple(query))
        (content, links), call = await api.fetch(asked, decode)
        link = links.prev if backward else links.next
        try:
            following = () if link is None else link_query(link, base=api.base, path=request.path)
            return make(content, Link(call, None if link is None else cursor_in(following, name), following))
        except PersonaError:
            with naming(call):
                raise

    return fetch


def case_pages(
    api: Api,
    request: Request,
    fieldset: Fieldset | None = None,
    *,
    decode: Callable[[bytes], DecodedPage] | None = None,
    backward: bool = False,
) -> Fetch[Case]:
    """Return a function that fetches the pages of a list or a search as cases; see `pages_of`.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        fieldset: the sparse fieldset of the request, if it has one.
        decode: decodes a page instead of the default decoder.
        backward: whether to page backward.
    """
    read = decode or partial(decoding.decode_page, fieldset=fieldset)

    def cases_and_links(body: bytes) -> tuple[tuple[Case, ...], Links]:
        page = read(body)
        return page.cases, page.links

    return pages_of(api, request, cases_and_links, page_of, backward=backward)


async def nothing(_position: Position) -> Page[Any]:
    """Return the only page of a search that cannot match. It is empty, so it needs no request."""
    return paging.Page(items=(), next_cursor=None)


def page_of(items: tuple[Item, ...], link: Link) -> Page[Item]:
    """Return a page of items with its link to the next page."""
    return paging.Page(
        items=items,
        next_cursor=link.next_cursor,
        request_id=link.call.request_id,
        following=link.following,
        call=link.call,
    )
