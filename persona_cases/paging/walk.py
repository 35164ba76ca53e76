"""Iterations over pages and over items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol

import attrs

from persona_cases.errors import PersonaError
from persona_cases.paging.chain import PageChain
from persona_cases.paging.cursor import BEGINNING
from persona_cases.paging.page import Fetch, Page, T, WalkOptions, ids_on
from persona_cases.paging.pager_lessons import WALK
from persona_cases.teaching import taught


class Walk(Protocol[T]):
    """One iteration over pages, with `async for`."""

    def __aiter__(self) -> Walk[T]: ...

    async def __anext__(self) -> Page[T]: ...

    def look_ahead(self) -> None:
        """Start fetching what is needed next, if it is not being fetched."""
        ...

    async def aclose(self) -> None:
        """End the iteration and any requests in progress. Leaving an `async for` does the same."""
        ...


@taught(WALK)
class PageWalk(Generic[T]):
    """One iteration over the pages of one search. At most one request is in progress; leaving the iteration cancels it.

    Args:
        fetch: fetches the page at a position.
        options: what to return.
        ahead: whether to fetch the next page as soon as one is returned.
    """

    def __init__(self, fetch: Fetch[T], options: WalkOptions, *, ahead: bool) -> None:
        self._chain = PageChain(fetch, start=options.start, marks=ids_on)
        self._options = options
        self._wanted = options.total
        self._ahead = ahead
        self._seen_ids: set[str] = set()

    def __aiter__(self) -> PageWalk[T]:
        return self

    async def __anext__(self) -> Page[T]:
        if self._chain.ended or self._wanted == 0:
            raise StopAsyncIteration
        try:
            page = await self._chain.next(self._size())
        except PersonaError as error:
            error.cursor = self._chain.cursor or BEGINNING
            self._chain.ended = True
            raise
        items = self._selected(page.items)
        if self._ahead:
            self.look_ahead()
        return attrs.evolve(page, items=items)

    def look_ahead(self) -> None:
        """Start fetching the next page, if one is needed and none is being fetched."""
        if self._wanted != 0:
            self._chain.look_ahead(self._size())

    async def aclose(self) -> None:
        """End the iteration and the request in progress, if any. Leaving an `async for` does the same."""
        await self._chain.aclose()

    def _selected(self, items: tuple[T, ...]) -> tuple[T, ...]:
        if self._options.distinct:
            items = tuple(item for item in items if item.id not in self._seen_ids)
            self._seen_ids.update(item.id for item in items)
        if self._wanted is not None:
            items = items[: self._wanted]
            self._wanted -= len(items)
        return items

    def _size(self) -> int:
        size = self._options.page_size
        return size if self._wanted is None else min(size, self._wanted)


@taught(WALK)
class ItemWalk(Generic[T]):
    """One iteration over items. The next page is fetched once the second item of a page is requested.

    Args:
        pages: the iteration over their pages.
    """

    def __init__(self, pages: Walk[T]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())
        self._given = 0

    def __aiter__(self) -> ItemWalk[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            if self._given == 1:
                # A caller who wants a second item probably wants them all; one who stops after the first costs no
                # request.
                self._pages.look_ahead()
            for item in self._items:
                self._given += 1
                return item
            page = await self._pages.__anext__()
            self._items, self._given = iter(page.items), 0

    async def aclose(self) -> None:
        """End the iteration and the request in progress, if any. Leaving an `async for` does the same."""
        self._items = iter(())
        await self._pages.aclose()
