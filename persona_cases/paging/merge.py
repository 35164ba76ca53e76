"""`Merge`: several searches as one iteration, in one order, with each item once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, Generic, final

import attrs

from persona_cases.errors import PersonaError
from persona_cases.paging.chain import retrieve, settled
from persona_cases.paging.cursor import BEGINNING, Place, decode, encode
from persona_cases.paging.page import Fetch, Page, T, WalkOptions
from persona_cases.paging.pager_lessons import WALK
from persona_cases.paging.rank import Rank, SortValue, rank
from persona_cases.paging.stream import Stream
from persona_cases.teaching import taught

_TIME = rank(datetime.min.replace(tzinfo=UTC), descending=False)[:2]


@final
@attrs.frozen(kw_only=True)
class Merge(Generic[T]):
    """Several searches in the same order, to iterate over as one.

    Attributes:
        fetches: fetch the pages of the searches, in the order of the plan. The id of an item is a cursor in each
            search: it leads to what comes after the item.
        key: returns the value of the sort key of an item; None if the item has none.
        descending: whether the searches sort in descending order.
        fingerprint: identifies the searches and their order. A cursor holds a digest of it.
    """

    fetches: tuple[Fetch[T], ...] = attrs.field(repr=False)
    key: Callable[[T], SortValue | None] = attrs.field(repr=False)
    descending: bool
    fingerprint: str = attrs.field(repr=False)

    def places(self, cursor: str | None) -> tuple[Place, ...]:
        """Return where each search has to begin.

        Args:
            cursor: a cursor of these merged searches; None for the beginning.

        Raises:
            InvalidArgumentError: if the cursor does not belong to these searches in this order.
        """
        if cursor is None or cursor == BEGINNING:
            return tuple(Place() for _ in self.fetches)
        return decode(cursor, self.fingerprint, len(self.fetches))

    def rank(self, item: T) -> Rank:
        """Return the rank of an item in the order."""
        return rank(self.key(item), descending=self.descending)

    def in_order(self, one: Rank, other: Rank) -> bool:
        """Return whether a search may return one rank before another. The API's order surely is ours only for times."""
        return one[:2] != _TIME or other[:2] != _TIME or one == other or (one < other) != self.descending


@taught(WALK)
class MergedWalk(Generic[T]):
    """One iteration over merged pages, with at most one request per search in progress.

    Leaving the iteration cancels these requests.

    The next item is the first in order among the next items of all searches. Ties go to the earliest search in the
    plan. An item that any search has already returned is skipped.

    Args:
        merge: the searches.
        options: what to return. The ids of all items are remembered if items can move, otherwise only those of equal
            rank.
        ahead: whether to fetch more as soon as a page is returned.
    """

    def __init__(self, merge: Merge[T], options: WalkOptions, *, ahead: bool) -> None:
        self._merge = merge
        self._options = options
        self._wanted = options.total
        self._ahead = ahead
        in_order = None if options.distinct else merge.in_order
        self._streams = tuple(
            Stream(fetch, merge.rank, options.page_size, place, in_order)
            for fetch, place in zip(merge.fetches, merge.places(options.start), strict=True)
        )
        self._foremost = max if merge.descending else min
        self._live: list[Stream[T]] = []  # Streams with an item to take.
        self._dry = list(self._streams)  # Streams to read before anything can be taken.
        self._items: list[T] = []
        self._group = 0
        self._rank: Rank | None = None  # Of the current group.
        self._seen_ids: set[str] = set()
        self._begun = self._ended = False
        self._failure: PersonaError | None = None

    def __aiter__(self) -> MergedWalk[T]:
        return self

    async def __anext__(self) -> Page[T]:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._ended or self._wanted == 0:
            raise StopAsyncIteration
        try:
            size = self._options.page_size
            await self._collect(size if self._wanted is None else min(size, self._wanted))
        except PersonaError as error:
            error.cursor = self._cursor()
            await self._close()
            if not self._items:
                raise
            self._failure = error  # Raised at the next step, because the items before it are valid.
        except asyncio.CancelledError:
            self._cancel()
            raise
        page = self._page()
        if self._ahead:
            self.look_ahead()
        return page

    def look_ahead(self) -> None:
        """Start fetching the next page of each search; with a limit, only pages that are certainly needed."""
        if self._ended or self._wanted == 0:
            return
        for stream in self._streams if self._wanted is None else self._dry:
            stream.look_ahead(self._wanted)

    async def aclose(self) -> None:
        """End the iteration and any requests in progress. Leaving an `async for` does the same."""
        self._failure = None
        await self._close()

    async def _close(self) -> None:
        self._ended = True
        await settled(self._cancel())

    def _cancel(self) -> list[asyncio.Future[Any]]:
        return [task for stream in self._streams for task in stream.cancel()]

    async def _collect(self, size: int) -> None:
        """Take up to `size` items."""
        while len(self._items) < size:
            if self._dry:
                await self._read()
            if not self._live:
                return
            stream = self._foremost(self._live, key=_rank_of)
            if stream.next_item.id in self._seen_ids:
                stream.take(self._group)
            else:
                self._enter_group(stream.rank)
                self._items.append(stream.take(self._group))
                self._seen_ids.add(self._items[-1].id)
            if not stream.filled:
                self._sort_out()
        self._pass_over()

    def _pass_over(self) -> None:
        """Skip repeated items that come next: the iteration may end after them."""
        for stream in self._live:
            while stream.filled and stream.next_item.id in self._seen_ids:
                stream.take(self._group)
        self._sort_out()

    async def _read(self) -> None:
        wanted = None if self._wanted is None else self._wanted - len(self._items)
        if len(self._dry) == 1:
            await self._dry[0].fill(wanted)
        else:
            await _side_by_side(stream.fill(wanted) for stream in self._dry)
        if not self._begun:
            self._recall()
        self._sort_out()

    def _recall(self) -> None:
        self._begun = True
        for stream in self._streams:
            self._seen_ids.update(stream.recalled)
            self._rank = self._rank or stream.recalled_rank

    def _sort_out(self) -> None:
        self._live = [stream for stream in self._streams if stream.filled]
        self._dry = [stream for stream in self._streams if not stream.filled and not stream.ended]

    def _enter_group(self, rank: Rank) -> None:
        if self._rank is not None and rank != self._rank:
            self._group += 1
            if not self._options.distinct:
                self._seen_ids.clear()
        self._rank = rank

    def _page(self) -> Page[T]:
        items, self._items = tuple(self._items), []
        call = next((stream.call for stream in self._streams if stream.call is not None), None)
        if self._wanted is not None:
            self._wanted -= len(items)
        if self._failure is not None:
            return Page(items=items, next_cursor=self._failure.cursor, call=call)
        self._ended = not self._live and not self._dry
        return Page(items=items, next_cursor=None if self._ended else self._cursor(), call=call)

    def _cursor(self) -> str:
        if not self._begun:
            return self._options.start or BEGINNING
        return encode([stream.place(self._group) for stream in self._streams], self._merge.fingerprint)


def _rank_of(stream: Stream[Any]) -> Rank:
    return stream.rank


async def _side_by_side(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all steps concurrently; the first failure cancels the others."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    for task in tasks:
        task.add_done_callback(retrieve)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await settled(tasks)
    failed = [task for task in tasks if not task.cancelled() and task.exception() is not None]
    for task in failed or tasks:
        task.result()
