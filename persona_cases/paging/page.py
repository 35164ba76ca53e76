"""`Page`, and the extent of an iteration over pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

import attrs

from persona_cases.errors import Answered
from persona_cases.paging.pager_lessons import PAGE
from persona_cases.paging.position import LARGEST_PAGE, Position
from persona_cases.protocol.message import QueryPairs
from persona_cases.surface import publish
from persona_cases.teaching import taught


class Identified(Protocol):
    """An item of a page: anything with an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


T = TypeVar("T", bound=Identified)


@taught(PAGE)
@attrs.frozen(kw_only=True)
class Page(Sequence[T], Generic[T]):
    """One page of results: a sequence of its items.

    Attributes:
        items: the items of the page; a page may be empty without being the last.
        next_cursor: where `Pager.resume` continues after this page; None if it is the last.
        request_id: the vendor's id of the request; None if the page was merged from several searches.
        following: the query parameters in the server's link to the next page.
        call: the call that fetched the page, or one of several; errors found later name it.
    """

    items: tuple[T, ...] = attrs.field(repr=lambda items: f"<{len(items)} items>")
    next_cursor: str | None
    request_id: str | None = None
    following: QueryPairs = attrs.field(default=(), repr=False)
    call: Answered | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def has_next(self) -> bool:
        """Whether there is another page, which starts at `next_cursor`."""
        return self.next_cursor is not None

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@attrs.frozen(kw_only=True)
class WalkOptions:
    """The extent of an iteration: where it starts, how many items it returns, and how many per page.

    Attributes:
        page_size: how many items to request at a time; maximum number of items per page.
        start: the cursor to start after; None for the beginning.
        total: maximum number of items to return; None for all.
        distinct: whether items can move in the order during the iteration, so that one may come twice.
    """

    page_size: int = LARGEST_PAGE
    start: str | None = None
    total: int | None = None
    distinct: bool = False


Fetch = Callable[[Position], Awaitable[Page[T]]]
"""Fetches the page at a position."""


def ids_on(page: Page[Any]) -> list[str]:
    """Return the ids of a page's items."""
    return [item.id for item in page.items]


publish("persona_cases", Page)
