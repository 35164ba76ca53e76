"""`PageChain`: the pages of one search, in the order in which the server links them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Generic, Self

from persona_cases.errors import Answered, PaginationError, PersonaError, naming
from persona_cases.paging.cursor import mark_refused_place
from persona_cases.paging.position import LARGEST_PAGE, P, Position
from persona_cases.paging.walk_progress import Progress
from persona_cases.protocol.message import QueryPairs


class PageChain(Generic[P]):
    """The pages of one search, each found by the cursor of the previous one.

    At most one request is in progress, and it is cancelled when the chain is garbage-collected. If a request fails or
    is cancelled, the chain stays where it was.

    Args:
        fetch: fetches the page at a position.
        start: the cursor of the first page; None for the beginning.
        marks: returns the ids by which a repeated page is recognised.
        size: how many items each step of an `async for` requests.
    """

    def __init__(
        self,
        fetch: Callable[[Position], Awaitable[P]],
        *,
        start: str | None,
        marks: Callable[[P], Sequence[str]],
        size: int = LARGEST_PAGE,
    ) -> None:
        self._fetch = fetch
        self._marks = marks
        self._size = size
        self._following: QueryPairs = ()
        self._seen_cursors = {start}
        self._repeated = False
        self._progress = Progress()
        self._call: Answered | None = None
        self._task: asyncio.Future[P] | None = None
        self.cursor = start
        """The cursor of the next page; None at the beginning and at the end."""
        self.ended: bool = False
        """Whether there are no more pages."""

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[P]:
        if self.ended:
            raise StopAsyncIteration
        return self.next(self._size)

    async def next(self, size: int) -> P:
        """Return the next page. Do not call it once the chain has ended.

        Args:
            size: how many items to request, if the page is not being fetched already.

        Raises:
            PaginationError: if the server repeated a cursor, or its pages no longer bring anything new.
            PersonaError: any error that the request can raise.
        """
        if self._repeated:
            with naming(self._call):
                raise PaginationError("the server repeated a cursor, so the pages would never end")
        task, self._task = self._task, None
        try:
            page = await (self._fetch(self._position(size)) if task is None else task)
        except PersonaError as error:
            mark_refused_place(error, self.cursor)
            raise
        cursor = self.cursor = page.next_cursor
        self._following, self._call = page.following, page.call
        if cursor is None:
            self.ended = True
            return page
        # Raised at the next step, because the items of this page are valid.
        self._repeated = cursor in self._seen_cursors
        self._seen_cursors.add(cursor)
        try:
            self._progress.see(self._marks(page))
        except PersonaError:
            with naming(page.call):
                raise
        return page

    def look_ahead(self, size: int) -> None:
        """Start fetching the next page, if there is one and it is not being fetched."""
        if self._task is None and not self.ended and not self._repeated:
            self._task = asyncio.ensure_future(self._fetch(self._position(size)))
            self._task.add_done_callback(retrieve)

    def cancel(self) -> list[asyncio.Future[Any]]:
        """Cancel the request in progress, if any, and return the tasks to wait for."""
        task, self._task = self._task, None
        if task is None:
            return []
        task.cancel()
        return [task]

    async def aclose(self) -> None:
        """End the chain and the request in progress, if any."""
        self.ended = True
        await settled(self.cancel())

    def __del__(self) -> None:
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            # The garbage collector may run in any thread.
            task.get_loop().call_soon_threadsafe(task.cancel)

    def _position(self, size: int) -> Position:
        return Position(cursor=self.cursor, size=size, following=self._following)


async def settled(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all tasks have ended, ignoring their errors."""
    if tasks:
        await asyncio.wait(tasks)


def retrieve(task: asyncio.Future[Any]) -> None:
    """Retrieve the error of an abandoned task, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()
