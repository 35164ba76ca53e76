"""Links from one page to the next: which links are followed, and their cursors."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from persona_cases.errors import PaginationError
from persona_cases.protocol.addresses.urls import BaseURL, origin_of
from persona_cases.protocol.message import QueryPairs

# The form of the vendor's links. Any other link goes through a full parser, which takes ten times as long.
_USUAL_LINK = re.compile(r"(/(?!/)[\w./-]*)\?page%5B(after|before)%5D=([\w-]+)&page%5Bsize%5D=(\d+)", re.ASCII)


def link_query(link: str, *, base: BaseURL, path: str) -> QueryPairs:
    """Return the query parameters of a `links.next` or `links.prev`.

    Only the parameters are used: the request goes to the same endpoint below the configured base URL, so a link
    cannot take the API key anywhere.

    Args:
        link: the link as the server sent it, relative to its origin or absolute.
        base: the configured base URL.
        path: the path of the endpoint.

    Raises:
        PaginationError: if the link leads to another origin or another endpoint.
    """
    usual = _USUAL_LINK.fullmatch(link)
    if usual is not None and usual[1].endswith(path):
        return (f"page[{usual[2]}]", usual[3]), ("page[size]", usual[4])
    try:
        parts = urlsplit(link)
        elsewhere = bool(parts.scheme or parts.netloc) and origin_of(parts) != base.origin
    except ValueError:
        raise PaginationError("the server's link to the next page is not a URL") from None
    if elsewhere:
        raise PaginationError("the server's link to the next page leads to another origin: not followed")
    if not parts.path.endswith(path):
        raise PaginationError("the server's link to the next page leads to another endpoint: not followed")
    return tuple(parse_qsl(parts.query, keep_blank_values=True))


def cursor_in(parameters: QueryPairs, name: str) -> str:
    """Return the cursor in the parameters of a link.

    Raises:
        PaginationError: if there is none.
    """
    cursor = dict(parameters).get(name)
    if not cursor:
        raise PaginationError(f"the server's link to the next page has no {name}")
    return cursor
