"""`ListSource`: the cases that match an expression now, by ranges of creation time, as raw pages.

The search index is stale by about a minute, but the list is not. The list cannot start at a time: it goes from new to
old, and starts after a case. So a search finds a case where a range begins. The search may be stale, because it is used
for nothing else. The range at the top of the list needs no search.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Self

import attrs
from msgspec.structs import replace

from persona_cases.errors import APIError, DecodeError, PaginationError, naming
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models import Fieldset
from persona_cases.models.decoding.decode import decode_line, decode_page
from persona_cases.models.decoding.raw_page import Line, RawPage, decode_raw_page
from persona_cases.models.decoding.records import Links
from persona_cases.models.decoding.undecodable import UndecodableCase
from persona_cases.paging import LARGEST_PAGE
from persona_cases.paging.cursor import is_refusal
from persona_cases.protocol.message import Request
from persona_cases.query import Predicate, Q
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.raw_walks import raw_walk
from persona_cases.resources.reading.searches import Search
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.list_filter import Listing
from persona_cases.transport.limits.limiter import LimiterState

_LIST = "/cases"
_OLDEST_FIRST = Q.created_at.asc()
# Of this many cases, the list will know at least one.
_CANDIDATES = 3


@attrs.frozen
class ListSource:
    """The cases that match an expression, without the index lag of searches, newest first; see `TurnedSource`.

    Attributes:
        api: how to reach the API.
        listing: the filters of the list, and the expression to evaluate on each case.
        request: the list request, without page parameters.
        fieldset: the attributes to load, if not all.
    """

    api: Api
    listing: Listing
    request: Request
    fieldset: Fieldset | None = None

    @property
    def pages_per_fetcher(self) -> float:
        """More than for searches, because each range costs a search for its start, and its last page is half full."""
        return 16.0

    @property
    def limiter_state(self) -> LimiterState:
        """The current state of the rate limit."""
        return self.api.limiter_state

    @classmethod
    def of(cls, api: Api, where: Predicate | None, only: Iterable[str] | None = None) -> Self:
        """Make a source for an expression.

        Args:
            api: how to reach the API.
            where: the expression; None matches all cases.
            only: the only attributes to load, in addition to those that the expression compares; None loads all.

        Raises:
            QueryError: if the expression cannot be evaluated on the attributes that cases show.
            InvalidArgumentError: if it can be evaluated only on whole cases.
        """
        listing = Listing.of(where)
        sparse, fieldset = parameters.fieldset(None if only is None else listing.attributes(only))
        return cls(api, listing, Request("GET", _LIST, query=listing.filters + sparse), fieldset)

    async def far_end(self) -> RawPage:
        """Return a page of the oldest cases, oldest first; an empty page if a search finds none."""
        return await self._found(self.listing.created.narrow(self.listing.filtered), LARGEST_PAGE)

    async def pages(self, time_range: TimeRange, after: str | None) -> AsyncGenerator[RawPage]:
        """Fetch the cases of a range, newest first.

        Args:
            time_range: the range.
            after: the cursor of a page of the same range; None for the beginning.

        Raises:
            PersonaError: any error that a request can raise, during the iteration.
        """
        asked = _common(time_range, self.listing.created)
        if asked is None or self.listing.impossible:
            yield RawPage(())
            return
        starts = await self._starts(asked) if after is None else [after]
        async with aclosing(self._listed(starts)) as walk:
            reached: int | None = None
            async for page in walk:
                with naming(page.call):
                    kept, reached = _placed(page, asked, reached)
                yield kept
                if kept.next_cursor is None:
                    return

    async def _listed(self, starts: Sequence[str | None]) -> AsyncGenerator[RawPage]:
        """List from the first of several cases that the server still knows."""
        for start in starts:
            async with aclosing(raw_walk(self.api, self.request, self._decode, start)) as walk:
                try:
                    page = await anext(walk)
                except APIError as error:
                    # The index may still know a case that was deleted.
                    if start == starts[-1] or not is_refusal(error):
                        raise
                    continue
                yield page
                async for page in walk:
                    yield page
                return

    async def _starts(self, time_range: TimeRange) -> list[str | None]:
        """Return ids of cases after which the list has the whole range, and None for the top of the list."""
        if time_range.high is None:
            return [None]
        newer = TimeRange(time_range.high, None)
        page = (await self._found(newer.narrow(self.listing.filtered), _CANDIDATES)).sound()
        with naming(page.call):
            if any(page.moment(index) not in newer for index in range(len(page))):
                raise PaginationError("the server returned cases outside the requested range of creation times")
        return [*map(page.id, range(len(page))), None]

    async def _found(self, where: Predicate | None, size: int) -> RawPage:
        """Return a page of the oldest cases found by a search."""
        search, _ = Search.of(where, _OLDEST_FIRST, 1, None).loading([_OLDEST_FIRST.attribute])
        for request in search.requests():
            async with aclosing(raw_walk(self.api, request, decode_raw_page, None, size)) as walk:
                async for page in walk:
                    return replace(page, next_cursor=None)
        return RawPage(())

    def _decode(self, body: bytes) -> tuple[RawPage, Links]:
        rest = self.listing.rest
        if rest is None:
            return decode_raw_page(body)
        try:
            document = decode_page(body, fieldset=self.fieldset)
        except DecodeError:
            return self._decode_each(body, rest)
        unwanted = frozenset(index for index, case in enumerate(document.cases) if not rest.matches(case))
        return RawPage([case.raw_line for case in document.cases], unwanted=unwanted), document.links

    def _decode_each(self, body: bytes, rest: Predicate) -> tuple[RawPage, Links]:
        """Decode case by case, and set aside cases on which the expression cannot be evaluated."""
        page, links = decode_raw_page(body)
        page = page.sound()
        lines, unwanted, aside = list[Line](), set[int](), list(page.aside)
        for index, line in enumerate(page.lines):
            text = bytes(line)
            try:
                matches = rest.matches(decode_line(text, index, fieldset=self.fieldset))
            except DecodeError as error:
                aside.append(UndecodableCase(text, error, page.moment(index)))
                continue
            if not matches:
                unwanted.add(len(lines))
            lines.append(line)
        return RawPage(lines, unwanted=unwanted, aside=aside), links


def _common(one: TimeRange, other: TimeRange) -> TimeRange | None:
    """Return the intersection of two ranges."""
    low = max((each for each in (one.low, other.low) if each is not None), default=None)
    high = min((each for each in (one.high, other.high) if each is not None), default=None)
    return None if low is not None and high is not None and low >= high else TimeRange(low, high)


def _placed(page: RawPage, time_range: TimeRange, reached: int | None) -> tuple[RawPage, int | None]:
    """Return the cases of a page that are in a range, and the creation time that the list has reached."""
    try:
        return _within(page, time_range), _last_moment(page, reached)
    except DecodeError:
        # The decodable cases still show where the page is.
        page = page.sound()
    return _within(page, time_range), _last_moment(page, reached)


def _last_moment(page: RawPage, reached: int | None) -> int | None:
    """Return the creation time that the list has reached.

    Raises:
        PaginationError: if the list does not go from new to old, so that cases of a range may be anywhere.
    """
    if not len(page):
        return reached
    first, last = page.moment(0), page.moment(len(page) - 1)
    if last > first or (reached is not None and first > reached):
        raise PaginationError("the server did not list the cases from new to old")
    return last


def _within(page: RawPage, time_range: TimeRange) -> RawPage:
    """Return the cases of a page that are in a range; the last page of the range has no cursor."""
    aside = [each for each in page.aside if each.moment is None or each.moment in time_range]
    page = replace(page, aside=aside) if page.aside else page
    if not len(page):
        return page
    start = 0 if time_range.high is None or page.moment(0) < time_range.high else _first_before(page, time_range.high)
    if time_range.low is None or page.moment(len(page) - 1) >= time_range.low:
        return page if start == 0 else page.between(range(start, len(page)), page.next_cursor)
    return page.between(range(start, _first_before(page, time_range.low)), None)


def _first_before(page: RawPage, moment: int) -> int:
    """Return the index of the first case created before a timestamp; the cases are ordered newest first."""
    return bisect_right(range(len(page)), -moment, key=lambda index: -page.moment(index))
