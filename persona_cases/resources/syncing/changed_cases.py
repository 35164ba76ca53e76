"""The cases that a sync reads: searches and the list, as pages of readings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import TypeAlias

import attrs

from persona_cases.errors import DecodeError, InvalidArgumentError, NotFoundError, QueryError
from persona_cases.mirror.case_version import Reading
from persona_cases.mirror.mark import UnfinishedSweep, UnfinishedWalk
from persona_cases.models import Case, Fieldset
from persona_cases.models.decoding.decode import DecodedPage, decode_case, decode_page
from persona_cases.models.decoding.raw_page import moment_of, time_of
from persona_cases.models.decoding.sound_page import decode_sound_page
from persona_cases.models.decoding.undecodable import id_of
from persona_cases.paging import Page, Pager
from persona_cases.protocol.message import Request
from persona_cases.query import Predicate, Q
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.page_requests import case_pages
from persona_cases.resources.reading.searches import Search
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.list_filter import Listing
from persona_cases.resources.syncing.sync_request import SyncRequest

__all__ = ["ChangedCases", "IndexHead", "ReadPage", "UndecidableError"]

_LIST = "/cases"
_TIMES = ("updated_at", "redacted_at", "created_at")
_NEWEST_CHANGE = Q.updated_at.desc()
_OLDEST_FIRST = Q.created_at.asc()


class UndecidableError(Exception):
    """A case does not show whether it matches."""


@attrs.frozen
class IndexHead:
    """The newest state of the search index.

    Attributes:
        updated_at: the newest change in the index, in milliseconds since 1970; None if it has no cases.
        environment: the id of the environment; None if the server does not report it.
    """

    updated_at: int | None
    environment: str | None


@attrs.frozen
class ReadPage:
    """A page of cases, and the data read.

    Attributes:
        cases: the cases, with the data read of each.
        last: whether it is the last page.
        start: the cursor that the page began after; None for the first page.
        resumable: whether the iteration can be resumed from the last case.
    """

    cases: list[tuple[Case, Reading]] = attrs.field(repr=False)
    last: bool
    start: str | None = None
    resumable: bool = True


ReadPages: TypeAlias = AsyncGenerator[ReadPage, None]


@attrs.frozen
class ChangedCases:
    """Reads the cases that a mirror needs.

    Attributes:
        api: how to reach the API.
        request: the arguments of the sync.
        local: whether cases show whether they match.
        undecoded: the ids of undecodable cases on pages that were read, which have to be read individually.
    """

    api: Api
    request: SyncRequest
    local: bool
    undecoded: list[str] = attrs.field(factory=list[str], repr=False)

    async def head(self) -> IndexHead:
        """Return the newest state of the search index."""
        search, fieldset = Search.of(None, _NEWEST_CHANGE, 1, None).loading(_TIMES)
        (request,) = search.requests()
        request = attrs.evolve(request, query=(*request.query, ("page[size]", "1")))
        page, response = await self.api.load_answer(request, self._decoder(fieldset))
        changed = [moment_of(time) for case in page.cases if (time := _changed_at(case)) is not None]
        return IndexHead(max(changed, default=None), response.headers.get("persona-environment-id"))

    async def walk(self, unfinished: UnfinishedWalk) -> ReadPages:
        """Read the cases that changed since the start of an iteration, oldest first by creation.

        If cases do not show whether they match, two searches decide it.

        Raises:
            UndecidableError: if a case does not show whether it matches.
        """
        since, where = unfinished.since, self.request.where
        position = unfinished.position
        created = None if position is None else Q.created_at.gte(time_of(position))
        if since is None:
            async for page in self._search(_both(where, created), matches=True, resumable=True):
                yield page
            return
        changed = _both(Q.updated_at.gte(time_of(since)), created)
        if self.local:
            async for page in self._search(changed, matches=None, resumable=True):
                yield page
            return
        async for page in self._search(_both(changed, where), matches=True, resumable=False):
            yield attrs.evolve(page, last=False)
        unwanted = _both(changed, None if where is None else ~where)
        async for page in self._search(unwanted, matches=False, resumable=False, only=_TIMES):
            yield page

    async def newest(self) -> list[tuple[Case, Reading]]:
        """Return the most recently created cases, without index lag."""
        pager = self._list(Listing(), None, None)
        async with aclosing(pager.pages()) as pages:
            async for page in pages:
                return self._readings([(case, self.decide(case)) for case in page], fresh=True)
        return []

    async def sweep(self, unfinished: UnfinishedSweep) -> ReadPages:
        """Read all cases that may match, newest first by creation.

        They come from the list or, if cases do not show whether they match, from a search. Only their times are loaded,
        unless whole cases are wanted or needed.
        """
        if not self.local:
            search = self._pager(self.request.where, Q.created_at.desc(), None if unfinished.full else _TIMES)
            pager = search if unfinished.after is None else search.resume(unfinished.after)
            async for page, start in _pages(pager, unfinished.after):
                read = self._readings([(case, True) for case in page], fresh=False, whole=unfinished.full)
                yield ReadPage(read, page.next_cursor is None, start)
            return
        listing = Listing.of(self.request.where)
        only = None if unfinished.full else _attributes(listing)
        async for page, start in _pages(self._list(listing, only, unfinished.after), unfinished.after):
            yield ReadPage(self._decided(page, listing, whole=only is None), page.next_cursor is None, start)

    async def whole_page(self, start: str | None) -> list[tuple[Case, Reading]]:
        """Read one page of the list again, with whole cases."""
        listing = Listing.of(self.request.where)
        async with aclosing(self._list(listing, None, start).pages()) as pages:
            async for page in pages:
                return self._decided(page, listing, whole=True)
        return []

    def decide(self, case: Case) -> bool | None:
        """Return whether a case matches; None if cases do not show it.

        Raises:
            UndecidableError: if this case does not show it.
        """
        if self.request.where is None:
            return True
        return _decision(self.request.where, case) if self.local else None

    async def excludes(self, id: str) -> bool:
        """Return whether the attributes that the query names show that a case does not match."""
        where = self.request.where
        only = None if where is None or not self.local else _attributes(Listing(rest=where))
        if where is None or only is None:
            return False
        sparse, fieldset = parameters.fieldset(only)
        request = Request("GET", parameters.case_path(id), query=sparse)
        try:
            return not where.matches(await self.api.load(request, partial(decode_case, fieldset=fieldset)))
        except (DecodeError, NotFoundError, QueryError):
            return False

    def take_undecoded(self) -> list[str]:
        """Return and clear the ids of the cases that have to be read individually."""
        ids = list(dict.fromkeys(self.undecoded))
        self.undecoded.clear()
        return ids

    async def _search(
        self, where: Predicate | None, *, matches: bool | None, resumable: bool, only: Sequence[str] | None = None
    ) -> ReadPages:
        async for page, start in _pages(self._pager(where, _OLDEST_FIRST, only), None):
            decided = [(case, self.decide(case) if matches is None else matches) for case in page]
            read = self._readings(decided, fresh=False, whole=only is None)
            yield ReadPage(read, page.next_cursor is None, start, resumable)

    def _pager(self, where: Predicate | None, sort: object, only: Sequence[str] | None) -> Pager[Case]:
        search, fieldset = Search.of(where, sort, self.request.max_searches, None).loading(only)
        fetch = partial(case_pages, self.api, fieldset=fieldset, decode=self._decoder(fieldset))
        return Pager(fetch=search.fetch(fetch), what="search")

    def _list(self, listing: Listing, only: Sequence[str] | None, after: str | None) -> Pager[Case]:
        sparse, fieldset = parameters.fieldset(only)
        request = Request("GET", _LIST, query=listing.filters + sparse)
        pages = case_pages(self.api, request, fieldset, decode=self._decoder(fieldset))
        pager = Pager(fetch=pages, what="list")
        return pager if after is None else pager.resume(after)

    def _decided(self, page: Page[Case], listing: Listing, *, whole: bool) -> list[tuple[Case, Reading]]:
        rest = listing.rest
        return self._readings([(case, rest is None or _decision(rest, case)) for case in page], fresh=True, whole=whole)

    def _readings(
        self, decided: Iterable[tuple[Case, bool | None]], *, fresh: bool, whole: bool = True
    ) -> list[tuple[Case, Reading]]:
        readings = list[tuple[Case, Reading]]()
        for case, matches in decided:
            try:
                readings.append((case, Reading.of(case, matches=matches, fresh=fresh, whole=whole)))
            except DecodeError:
                if not self.request.sets_aside:
                    raise
                self.undecoded.append(case.id)
        return readings

    def _decoder(self, fieldset: Fieldset | None) -> Callable[[bytes], DecodedPage]:
        if not self.request.sets_aside:
            return partial(decode_page, fieldset=fieldset)

        def decode(body: bytes) -> DecodedPage:
            page, aside = decode_sound_page(body, fieldset=fieldset)
            for each in aside:
                id = id_of(each.line)
                if id is None:
                    # A mirror cannot remember this case, so a sync must not go past it.
                    raise each.error
                self.undecoded.append(id)
            return page

        return decode


async def _pages(pager: Pager[Case], start: str | None) -> AsyncGenerator[tuple[Page[Case], str | None], None]:
    async with aclosing(pager.pages()) as pages:
        async for page in pages:
            yield page, start
            start = page.next_cursor


def _attributes(listing: Listing) -> list[str] | None:
    try:
        return listing.attributes(_TIMES)
    except InvalidArgumentError:
        # Only whole cases show whether they match.
        return None


def _decision(where: Predicate, case: Case) -> bool:
    try:
        return where.matches(case)
    except QueryError:
        # Perhaps no case at hand decides the expression. Then searches do.
        pass
    raise UndecidableError


def _changed_at(case: Case) -> datetime | None:
    return case.updated_at or case.created_at


def _both(one: Predicate | None, other: Predicate | None) -> Predicate | None:
    if one is None:
        return other
    return one if other is None else one & other
