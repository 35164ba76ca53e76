"""`Stream`: one of several merged searches, read page by page and taken item by item."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic

from persona_cases.errors import Answered, PaginationError, naming
from persona_cases.paging.chain import PageChain
from persona_cases.paging.cursor import Place
from persona_cases.paging.page import Fetch, T, ids_on
from persona_cases.paging.position import LARGEST_PAGE
from persona_cases.paging.rank import Rank


class Stream(Generic[T]):
    """The items of one search that were read but not taken yet: one page, and at most one more being fetched.

    Items are taken in groups of equal rank. The stream remembers where its items of the current group begin. A resumed
    iteration reads them again, and so knows which items were already returned.

    Args:
        fetch: fetches the page at a position. The id of an item is a cursor too: it leads to what comes after the item.
        rank_of: returns the rank of an item in the order.
        page_size: how many items to request at a time.
        place: where to begin.
        in_order: returns whether one rank may come before another; None if items can move during the iteration.
    """

    def __init__(
        self,
        fetch: Fetch[T],
        rank_of: Callable[[T], Rank],
        page_size: int,
        place: Place,
        in_order: Callable[[Rank, Rank], bool] | None = None,
    ) -> None:
        self._in_order = in_order
        self._read: Rank | None = None  # The rank of the last item.
        self._fetch = fetch
        self._rank_of = rank_of
        self._page_size = page_size
        self._unread = place if place.taken else None
        self.call: Answered | None = None
        """The call that fetched the last page."""
        self._chain = PageChain(fetch, start=place.cursor, marks=ids_on)
        self._chain.ended = place.ended
        self._items: deque[tuple[Rank, T]] = deque()
        self._behind = place.cursor
        self._group, self._group_start, self._taken, self._last = 0, place.cursor, 0, place.last
        self.recalled: list[str] = []
        """The ids of items of the current group that an earlier iteration took, once there is something to take."""
        self.recalled_rank: Rank | None = None
        """The rank of these items, if they still exist."""

    @property
    def filled(self) -> bool:
        """Whether there is an item to take."""
        return bool(self._items)

    @property
    def ended(self) -> bool:
        """Whether there are no more items."""
        return self._chain.ended and not self._items

    @property
    def rank(self) -> Rank:
        """The rank of the item to take next."""
        return self._items[0][0]

    @property
    def next_item(self) -> T:
        """The item to take next."""
        return self._items[0][1]

    def take(self, group: int) -> T:
        """Take the next item, as part of a group."""
        if group != self._group:
            self._group, self._group_start, self._taken = group, self._behind, 0
        _, item = self._items.popleft()
        self._taken += 1
        self._behind = self._last = item.id
        return item

    def place(self, group: int) -> Place:
        """Return where another iteration has to begin, if this one is in a group."""
        if self._taken and self._group == group:
            return Place(cursor=self._group_start, taken=self._taken, last=self._last)
        return Place(ended=True) if self.ended else Place(cursor=self._behind)

    async def fill(self, wanted: int | None) -> None:
        """Read until there is an item to take, or the end.

        Args:
            wanted: maximum number of items wanted; None for no limit.

        Raises:
            PersonaError: any error that a request can raise.
        """
        if self._unread is not None:
            await self._rewind(self._unread, wanted)
            self._unread = None
        while not self._items and not self._chain.ended:
            page = await self._chain.next(self._size(wanted))
            self.call = page.call
            with naming(page.call):
                self._keep(page.items)
            if not page.items and page.next_cursor is not None:
                self._behind = page.next_cursor

    def look_ahead(self, wanted: int | None) -> None:
        """Start fetching the next page, if there is one and it is not being fetched."""
        if self._unread is None:
            self._chain.look_ahead(self._size(wanted))

    def cancel(self) -> list[asyncio.Future[Any]]:
        """Cancel the request in progress, if any, and return the tasks to wait for."""
        return self._chain.cancel()

    async def _rewind(self, place: Place, wanted: int | None) -> None:
        """Read the taken items of the current group again, and move past them."""
        chain, ids = PageChain(self._fetch, start=place.cursor, marks=ids_on), list[str]()
        while len(ids) < place.taken and not chain.ended:
            left = place.taken - len(ids)
            # Request the items to read again on top of the wanted ones, so that one request suffices if possible.
            page = await chain.next(min(LARGEST_PAGE, self._size(wanted) + left))
            for number, item in enumerate(page.items[:left], start=1):
                ids.append(item.id)
                if item.id == place.last:
                    self._chain, self._taken = chain, len(ids)
                    self.recalled, self.recalled_rank = ids, self._rank_of(item)
                    with naming(page.call):
                        self._keep(page.items[number:])
                    self._behind = place.last
                    return
        # The last item has moved, so which of these were taken is unknown. Its rank is still known.
        self._chain = PageChain(self._fetch, start=place.last, marks=ids_on)
        self.recalled = [place.last]
        self._group_start = self._behind = place.last

    def _keep(self, items: tuple[T, ...]) -> None:
        for item in items:
            rank = self._rank_of(item)
            if self._in_order is not None and self._read is not None and not self._in_order(self._read, rank):
                raise PaginationError(
                    "the server ignored the sort order, so the results of several searches cannot be merged without "
                    "repeating cases"
                )
            self._read = rank
            self._items.append((rank, item))

    def _size(self, wanted: int | None) -> int:
        return self._page_size if wanted is None else min(self._page_size, wanted)
