"""Walking pages: `Page`, and `Pager`, which is at once the first page, all pages and all items."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, Protocol, TypeVar

import attrs

from persona_cases.errors import InvalidArgumentError, PaginationError, PersonaError, ResultCountError
from persona_cases.protocol.checks import whole_number
from persona_cases.protocol.message import QueryPairs

LARGEST_PAGE = 100


class Identified(Protocol):
    """What a page is made of: things with an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


T = TypeVar("T", bound=Identified)


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a walk.

    Attributes:
        items: what is on it; a page may be empty without being the last.
        cursor: where `Pager.resume` goes on after this page; None if it is the last.
        request_id: the vendor's id of the request.
        following: the query parameters that the server's link to the next page carries.
    """

    items: tuple[T, ...] = attrs.field(repr=lambda items: f"<{len(items)} items>")
    cursor: str | None
    request_id: str | None = None
    following: QueryPairs = attrs.field(default=(), repr=False)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@attrs.frozen(kw_only=True)
class Position:
    """Where a walk stands: what to ask the server for next.

    Attributes:
        cursor: the cursor, None at the beginning.
        backward: whether the walk goes towards newer objects (`page[before]`).
        size: how many items to ask for.
        following: the query parameters of the server's link that led here.
    """

    cursor: str | None
    backward: bool
    size: int
    following: QueryPairs = ()


Fetch = Callable[[Position], Awaitable[Page[T]]]
"""Gets the page at a position."""


@attrs.frozen(kw_only=True)
class Pager(Generic[T]):
    """All results of a list or a search, fetched page by page as they are asked for.

    .. code-block:: python

        async for case in pager: ...              # every item
        async for page in pager.pages(): ...      # every page
        page = await pager                        # the first page
        cases = await pager.limit(20).collect()   # at most 20 items in all

    A pager is a frozen description: each of these starts a walk of its own. The next page is fetched while the
    current one is consumed, one ahead at most. Nothing is held between pages, so a loop can be left at any time.

    See https://docs.withpersona.com/pagination.
    """

    _fetch: Fetch[T] = attrs.field(alias="fetch", repr=False)
    _page_size: int = attrs.field(alias="page_size", default=LARGEST_PAGE)
    _start: str | None = attrs.field(alias="start", default=None)
    _backward: bool = attrs.field(alias="backward", default=False)
    _total: int | None = attrs.field(alias="total", default=None)
    _distinct: bool = attrs.field(alias="distinct", default=False)
    _explanation: str = attrs.field(alias="explanation", default="", repr=False)

    def limit(self, total: int) -> Pager[T]:
        """Return a pager that stops after `total` items, and asks the server for no more than that.

        Raises:
            InvalidArgumentError: if `total` is not a whole number of at least 0.
        """
        whole_number(total, "limit", least=0)
        return attrs.evolve(self, total=total if self._total is None else min(total, self._total))

    def resume(self, cursor: str | None) -> Pager[T]:
        """Return a pager that goes on where a page or an error said.

        Args:
            cursor: the `cursor` of a `Page`, or of an error raised in a walk; None starts at the beginning.

        Raises:
            InvalidArgumentError: if the cursor is no string or is empty.
        """
        _check_cursor("cursor", cursor)
        return attrs.evolve(self, start=cursor)

    def explain(self) -> str:
        """Return what will be asked of the server, in words and JSON. It shows the values of the query."""
        return self._explanation

    def pages(self) -> PageWalk[T]:
        """Walk the pages, with `async for`.

        Raises:
            PersonaError: whatever a request may raise, with the `cursor` of the page that could not be had.
            PaginationError: if the server repeats a cursor, or links to somewhere else.
        """
        return PageWalk(self, ahead=True)

    def __aiter__(self) -> ItemWalk[T]:
        return ItemWalk(PageWalk(self, ahead=False))

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._first_page().__await__()

    async def collect(self) -> list[T]:
        """Walk to the end and return all items; `limit(n)` bounds them."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """Return the first item, or None if there is none. One small request, unless pages come back empty."""
        async for item in self.limit(1):
            return item
        return None

    async def one(self) -> T:
        """Return the only item.

        Raises:
            ResultCountError: if there is none, or more than one.
        """
        found = await self.limit(2).collect()
        if len(found) != 1:
            raise ResultCountError(f"expected exactly one result, found {'more than one' if found else 'none'}")
        return found[0]

    async def _first_page(self) -> Page[T]:
        async for page in PageWalk(self, ahead=False):
            return page
        return Page(items=(), cursor=None)


class PageWalk(Generic[T]):
    """One walk over pages. At most one request is under way, and it ends when the walk is let go.

    Args:
        pager: what to walk.
        ahead: whether to fetch the next page as soon as one is handed out.
    """

    def __init__(self, pager: Pager[T], *, ahead: bool) -> None:
        self._pager = pager
        self._ahead = ahead
        self._wanted = pager._total
        self._seen_ids: set[str] = set()
        self._seen_cursors = {pager._start}
        self._position: Position | None = self._at(pager._start)
        self._failure: PaginationError | None = None
        self._task: asyncio.Task[Page[T]] | None = None

    def __aiter__(self) -> PageWalk[T]:
        return self

    async def __anext__(self) -> Page[T]:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._position is None or self._wanted == 0:
            raise StopAsyncIteration
        page = await self._fetched(self._position)
        items = self._selected(page.items)
        self._position = self._after(page)
        if self._ahead:
            self.look_ahead()
        return attrs.evolve(page, items=items)

    def look_ahead(self) -> None:
        """Start fetching the next page, if one is needed and none is on its way."""
        if self._task is None and self._position is not None and self._wanted != 0:
            self._task = asyncio.ensure_future(self._pager._fetch(self._position))
            self._task.add_done_callback(_retrieve)

    async def aclose(self) -> None:
        """End the walk, and the request that may be under way. Leaving an `async for` does the same."""
        task, self._task, self._position = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def __del__(self) -> None:
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            # The garbage collector may run in any thread.
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def _fetched(self, position: Position) -> Page[T]:
        task, self._task = self._task, None
        try:
            return await (self._pager._fetch(position) if task is None else task)
        except PersonaError as error:
            error.cursor = position.cursor
            self._position = None
            raise

    def _selected(self, items: tuple[T, ...]) -> tuple[T, ...]:
        if self._pager._distinct:
            items = tuple(item for item in items if item.id not in self._seen_ids)
            self._seen_ids.update(item.id for item in items)
        if self._wanted is not None:
            items = items[: self._wanted]
            self._wanted -= len(items)
        return items

    def _after(self, page: Page[T]) -> Position | None:
        if page.cursor is None or self._wanted == 0:
            return None
        if page.cursor in self._seen_cursors:
            # Raised at the next step: the items of this page are good.
            self._failure = PaginationError("the server repeated a cursor: the walk would never end")
            self._failure.cursor = page.cursor
            return None
        self._seen_cursors.add(page.cursor)
        return self._at(page.cursor, page.following)

    def _at(self, cursor: str | None, following: QueryPairs = ()) -> Position:
        size = self._pager._page_size if self._wanted is None else min(self._pager._page_size, self._wanted)
        return Position(cursor=cursor, backward=self._pager._backward, size=size, following=following)


class ItemWalk(Generic[T]):
    """One walk over items. The next page is fetched once the second item of a page is asked for.

    Args:
        pages: the walk over their pages.
    """

    def __init__(self, pages: PageWalk[T]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())
        self._given = 0

    def __aiter__(self) -> ItemWalk[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            if self._given == 1:
                # Who asks for a second item is likely to want them all; who leaves after the first costs no request.
                self._pages.look_ahead()
            for item in self._items:
                self._given += 1
                return item
            page = await self._pages.__anext__()
            self._items, self._given = iter(page.items), 0

    async def aclose(self) -> None:
        """End the walk, and the request that may be under way. Leaving an `async for` does the same."""
        self._items = iter(())
        await self._pages.aclose()


def check_page(page_size: object, after: object, before: object) -> None:
    """Check where and in what steps a walk is to go.

    Raises:
        InvalidArgumentError: if the page size is not 1 to 100, a cursor is no string, or both cursors are given.
    """
    whole_number(page_size, "page_size", most=LARGEST_PAGE, hint="; for a total use .limit(n)")
    _check_cursor("after", after)
    _check_cursor("before", before)
    if after is not None and before is not None:
        raise InvalidArgumentError("give after or before, not both: a walk goes one way")


def _check_cursor(argument: str, value: object) -> None:
    if value is not None and (not isinstance(value, str) or not value):
        raise InvalidArgumentError(f"{argument} must be a cursor (the .cursor of a page or of an error), or None")


def _retrieve(task: asyncio.Task[Any]) -> None:
    # Reading the error of a page that nobody asked for any more keeps asyncio from reporting it.
    if not task.cancelled():
        task.exception()
