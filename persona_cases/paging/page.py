"""`Page`, and the values with which one is requested."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

import attrs
import msgspec

from persona_cases.errors import Answered, InvalidArgumentError
from persona_cases.paging.pager_lessons import PAGE
from persona_cases.protocol.checks import can_be_sent, whole_number
from persona_cases.protocol.message import QueryPairs
from persona_cases.teaching import taught

LARGEST_PAGE = 100


class Identified(Protocol):
    """An item of a page: anything with an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


class Linked(Protocol):
    """A page of any kind, with the link to the next one."""

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page; None if this is the last."""
        ...

    @property
    def following(self) -> QueryPairs:
        """The query parameters in the server's link to the next page."""
        ...

    @property
    def call(self) -> Answered | None:
        """The call that brought the page."""
        ...


T = TypeVar("T", bound=Identified)
P = TypeVar("P", bound=Linked)


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


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The position of an iteration: what to request next.

    Attributes:
        cursor: the cursor; None at the beginning.
        size: how many items to request.
        following: the query parameters in the server's link that led here.
    """

    cursor: str | None
    size: int
    following: QueryPairs = ()


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


def check_page(page_size: object, after: object, before: object) -> None:
    """Check the page size and the cursors of an iteration.

    Raises:
        InvalidArgumentError: if the page size is not 1 to 100, a cursor is not a string, or both cursors are given.
    """
    whole_number(page_size, "page_size", most=LARGEST_PAGE, hint="; for a total use .limit(n)")
    check_cursor("after", after)
    check_cursor("before", before)
    if after is not None and before is not None:
        raise InvalidArgumentError("give after or before, not both: pages are read in one direction")


def check_cursor(argument: str, value: object) -> None:
    """Check that an argument is None or can be a cursor.

    Raises:
        InvalidArgumentError: if it is not a string or is empty.
    """
    if value is not None and not (isinstance(value, str) and value and can_be_sent(value)):
        raise InvalidArgumentError(
            f"{argument} must be a cursor: the next_cursor of a page, the cursor of an error, or the id of a case"
        )
