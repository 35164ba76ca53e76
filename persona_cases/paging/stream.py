"""`Stream`: one search of a merged walk, read page by page and taken item by item."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic

from persona_cases.errors import Answered, PaginationError, naming
from persona_cases.paging.chain import PageChain
from persona_cases.paging.cursor import Place
from persona_cases.paging.page import LARGEST_PAGE, Fetch, T, ids_on
from persona_cases.paging.rank import Rank


class Stream(Generic[T]):
    """What was read of one search and not yet taken: one page, and at most one more on its way.

    Items are taken in groups of equal rank. The stream remembers where its part of the current group begins, so that
    another walk can read that part again: it tells by it which items came already.

    Args:
        fetch: gets the page at a position. The id of an item is a cursor too: what lies behind the item.
        rank_of: where an item stands in the order.
        page_size: how many items to ask for at a time.
        place: where to begin.
        in_order: tells whether one rank may come before another; None if items can move while they are walked.
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
        self._read: Rank | None = None  # Of the last item.
        self._fetch = fetch
        self._rank_of = rank_of
        self._page_size = page_size
        self._unread = place if place.taken else None
        self.call: Answered | None = None
        """The call that brought the last page."""
        self._chain = PageChain(fetch, start=place.cursor, marks=ids_on)
        self._chain.ended = place.ended
        self._items: deque[tuple[Rank, T]] = deque()
        self._behind = place.cursor
        self._group, self._group_start, self._taken, self._last = 0, place.cursor, 0, place.last
        self.recalled: list[str] = []
        """The ids of items of the current group that were taken in an earlier walk, once there is something to take."""
        self.recalled_rank: Rank | None = None
        """Their rank, if they are still there."""

    @property
    def filled(self) -> bool:
        """Whether there is an item to take."""
        return bool(self._items)

    @property
    def ended(self) -> bool:
        """Whether there will be no item any more."""
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
        """Take the next item, as one of a group."""
        if group != self._group:
            self._group, self._group_start, self._taken = group, self._behind, 0
        _, item = self._items.popleft()
        self._taken += 1
        self._behind = self._last = item.id
        return item

    def place(self, group: int) -> Place:
        """Where another walk has to begin, if this one is in a group."""
        if self._taken and self._group == group:
            return Place(cursor=self._group_start, taken=self._taken, last=self._last)
        return Place(ended=True) if self.ended else Place(cursor=self._behind)

    async def fill(self, wanted: int | None) -> None:
        """Read on until there is an item to take, or the end.

        Args:
            wanted: how many items are wanted at most; None for no limit.

        Raises:
            PersonaError: whatever a request may raise.
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
        """Start fetching the next page, if there is one and it is not on its way."""
        if self._unread is None:
            self._chain.look_ahead(self._size(wanted))

    def cancel(self) -> list[asyncio.Future[Any]]:
        """Cancel the request that may be under way, and return what there is to wait for."""
        return self._chain.cancel()

    async def _rewind(self, place: Place, wanted: int | None) -> None:
        """Read again what was taken of the current group, and stand behind it."""
        chain, ids = PageChain(self._fetch, start=place.cursor, marks=ids_on), list[str]()
        while len(ids) < place.taken and not chain.ended:
            left = place.taken - len(ids)
            # What is read again comes on top, so that one request does as often as it can.
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
        # The last item is no longer where it was, so which of these were taken is unknown. Its place is known still.
        self._chain = PageChain(self._fetch, start=place.last, marks=ids_on)
        self.recalled = [place.last]
        self._group_start = self._behind = place.last

    def _keep(self, items: tuple[T, ...]) -> None:
        for item in items:
            rank = self._rank_of(item)
            if self._in_order is not None and self._read is not None and not self._in_order(self._read, rank):
                raise PaginationError(
                    "the server ignored the sort: the results of several searches cannot be merged, and cases would "
                    "come twice"
                )
            self._read = rank
            self._items.append((rank, item))

    def _size(self, wanted: int | None) -> int:
        return self._page_size if wanted is None else min(self._page_size, wanted)
