"""Page requests: from a request and a position to a page of a list or a search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from persona_cases import paging
from persona_cases.errors import Answered, PersonaError
from persona_cases.models import decoding
from persona_cases.protocol.addresses.page_links import cursor_in, link_query
from persona_cases.protocol.message import QueryPairs, Request
from persona_cases.resources.endpoint import Api

if TYPE_CHECKING:
    from persona_cases.models import Case, Fieldset
    from persona_cases.models.decoding.decode import DecodedPage
    from persona_cases.models.decoding.records import Links
    from persona_cases.paging import Fetch, Identified, Page, Position

__all__ = ["Make", "case_pages", "nothing", "page_of", "pages_of"]

D = TypeVar("D")
P = TypeVar("P")
Item = TypeVar("Item", bound="Identified")
D_contra = TypeVar("D_contra", contravariant=True)
P_co = TypeVar("P_co", covariant=True)


class Make(Protocol[D_contra, P_co]):
    """Makes a page from its content, the call that fetched it, and the link to the next page."""

    def __call__(self, content: D_contra, /, *, call: Answered, next_cursor: str | None, following: QueryPairs) -> P_co:
        """Make a page.

        Args:
            content: the content of the page.
            call: the call that fetched the page.
            next_cursor: the cursor of the next page; None if there is none.
            following: the query parameters in the server's link to the next page.
        """
        ...


def pages_of(
    api: Api,
    request: Request,
    decode: Callable[[bytes], tuple[D, Links]],
    make: Make[D, P],
    *,
    backward: bool = False,
) -> Callable[[Position], Awaitable[P]]:
    """Return a function that fetches the pages of a list or a search.

    Every page is requested with the same method, path, parameters and body; only the cursor and the page size differ.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        decode: reads the items of a page and its links from the body of a response.
        make: makes a page from its items.
        backward: whether to page backward, with `page[before]`.
    """
    name = "page[before]" if backward else "page[after]"
    ours = {name for name, _ in request.query}

    async def fetch(position: Position) -> P:
        # A link may or may not repeat the caller's parameters, and may have others. The caller's parameters win, and
        # those that only the link has are added.
        query = [*request.query]
        for each in position.following:
            if not each[0].startswith("page[") and each[0] not in ours:
                query.append(each)  # noqa: PERF401 - a comprehension is one more function for each page
        if position.cursor is not None:
            query.append((name, position.cursor))
        asked = request.with_query((*query, ("page[size]", str(position.size))))
        (content, links), call = await api.fetch(asked, decode)
        link = links.prev if backward else links.next
        try:
            if link is None:
                return make(content, call=call, next_cursor=None, following=())
            following = link_query(link, base=api.base, path=request.path)
            return make(content, call=call, next_cursor=cursor_in(following, name), following=following)
        except PersonaError as error:
            call.describe(error)
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


def page_of(
    items: tuple[Item, ...], /, *, call: Answered, next_cursor: str | None, following: QueryPairs
) -> Page[Item]:
    """Return a page of items with its link to the next page."""
    return paging.Page(items=items, next_cursor=next_cursor, request_id=call.request_id, following=following, call=call)
