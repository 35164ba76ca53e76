"""Lists and searches as raw pages, for exports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec.structs import replace

from persona_cases import paging
from persona_cases.errors import Answered
from persona_cases.export.ranges.page_source import RawPages
from persona_cases.models.decoding.raw_page import Line, RawPage, decode_raw_page
from persona_cases.models.decoding.records import Links
from persona_cases.paging import LARGEST_PAGE, PageChain
from persona_cases.protocol.message import QueryPairs, Request
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.page_requests import pages_of
from persona_cases.resources.reading.searches import Search

if TYPE_CHECKING:
    from persona_cases.models.decoding.undecodable import UndecodableCase
    from persona_cases.paging import Fetch, Page


class RawCase(msgspec.Struct, frozen=True):
    """A case decoded only as far as merging the pages of several searches needs.

    Attributes:
        id: its id.
        created_at: when it was created.
        line: the case on one line.
    """

    id: str
    created_at: datetime
    line: Line


DecodeRaw: TypeAlias = Callable[[bytes], tuple[RawPage, Links]]
"""Decodes the body of a response to a page without a cursor, and the links that have the cursor."""


def raw_walk(api: Api, request: Request, decode: DecodeRaw, after: str | None, size: int = LARGEST_PAGE) -> RawPages:
    """Return the pages of one list or search; see `PageChain` for the errors of the iteration.

    Args:
        api: how to reach the API.
        request: the request, without page parameters.
        decode: reads a page.
        after: the cursor to resume from; None for the beginning.
        size: cases per page.
    """
    return PageChain(pages_of(api, request, decode, replace), start=after, marks=RawPage.marks, size=size)


async def merged_walk(api: Api, search: Search, after: str | None) -> AsyncGenerator[RawPage]:
    """Fetch the pages of a query that takes several searches, or none.

    Args:
        api: how to reach the API.
        search: the search, sorted by creation time.
        after: the cursor to resume from; None for the beginning.

    Raises:
        PersonaError: any error that a request can raise.
    """
    aside: list[UndecodableCase] = []

    def make(raw: RawPage, /, *, call: Answered, next_cursor: str | None, following: QueryPairs) -> Page[RawCase]:
        page = raw.sound()
        aside.extend(page.aside)
        cases = (RawCase(page.id(at), page.created_at(at), page.lines[at]) for at in range(len(page)))
        return paging.Page(items=tuple(cases), next_cursor=next_cursor, following=following, call=call)

    def fetch(request: Request) -> Fetch[RawCase]:
        return pages_of(api, request, decode_raw_page, make)

    pager = paging.Pager(fetch=search.fetch_by(fetch, attrgetter("created_at")))
    async with aclosing((pager if after is None else pager.resume(after)).pages()) as pages:
        async for page in pages:
            found, aside[:] = tuple(aside), ()
            yield RawPage([case.line for case in page], page.next_cursor, aside=found, call=page.call)
