"""A search that returns decodable cases and sets the others aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from persona_cases.errors import DecodeError
from persona_cases.models import Case
from persona_cases.models.decoding.decode import DecodedPage, decode_line
from persona_cases.models.decoding.raw_page import decode_raw_page
from persona_cases.paging import Pager, WalkOptions
from persona_cases.query import Predicate, Sort
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.page_requests import case_pages
from persona_cases.resources.reading.searches import Search

__all__ = ["sifted"]


def sifted(
    api: Api,
    where: Predicate | None,
    *,
    sort: Sort,
    only: Iterable[str] | None,
    max_searches: int,
    put_aside: Callable[[bytes], object],
) -> Pager[Case]:
    """Return a search for the cases that can be decoded.

    Args:
        api: how to reach the API.
        where: the search expression; None finds all cases.
        sort: the sort order.
        only: the only attributes to load; None loads all.
        max_searches: maximum number of searches that the expression may take.
        put_aside: receives each undecodable case, once, on one line.
    """
    search, fieldset = Search.of(where, sort, max_searches, None).loading(only)
    seen = set[bytes]()

    def leave(line: bytes) -> None:
        if line not in seen:
            seen.add(line)
            put_aside(line)

    def decode(body: bytes) -> DecodedPage:
        page, links = decode_raw_page(body)
        cases = list[Case]()
        for each in page.aside:
            leave(each.line)
        for index, line in enumerate(map(bytes, page.lines)):
            try:
                cases.append(decode_line(line, index, fieldset=fieldset))
            except DecodeError:
                leave(line)
        return DecodedPage(tuple(cases), links)

    fetch = search.fetch(partial(case_pages, api, decode=decode))
    return Pager(fetch=fetch, what="search", options=WalkOptions(distinct=search.unstable))
