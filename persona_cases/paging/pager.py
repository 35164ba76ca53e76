"""`Pager`: the results of a list or a search, before anything is requested."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, Self

import attrs

from persona_cases.errors import InvalidArgumentError, ResultCountError, naming
from persona_cases.paging.cursor import BEGINNING, is_merged
from persona_cases.paging.merge import Merge, MergedWalk
from persona_cases.paging.page import Fetch, Page, T, WalkOptions
from persona_cases.paging.pager_lessons import PAGER
from persona_cases.paging.position import check_cursor
from persona_cases.paging.walk import ItemWalk, PageWalk, Walk
from persona_cases.protocol.checks import whole_number
from persona_cases.surface import publish
from persona_cases.teaching import taught


@taught(PAGER)
@attrs.frozen(kw_only=True, repr=False)
class Pager(Generic[T]):
    """All results of a list or a search, fetched page by page on demand.

    .. code-block:: python

        async for case in pager: ...              # every item
        async for page in pager.pages(): ...      # every page
        page = await pager                        # the first page
        cases = await pager.limit(20).collect()   # at most 20 items in all

    A pager is a frozen description: each of these starts an iteration of its own. While you consume a page, the next
    one is fetched, at most one ahead. You can leave a loop at any time, because nothing is held between pages.

    An expression that one search cannot hold runs as several, whose results are merged. All of this applies to them
    too, with each search at most one page ahead.

    See https://docs.withpersona.com/pagination.
    """

    _fetch: Fetch[T] | Merge[T] = attrs.field(alias="fetch", repr=False)
    _what: str = attrs.field(alias="what", default="pages", repr=False)
    _options: WalkOptions = attrs.field(alias="options", default=WalkOptions(), repr=False)
    _backward: bool = attrs.field(alias="backward", default=False, repr=False)
    _explain: Callable[[], str] = attrs.field(alias="explain", default=str, repr=False)

    def __attrs_post_init__(self) -> None:
        if self._backward and isinstance(self._fetch, Merge):
            raise InvalidArgumentError(
                "before: this query runs as several searches, which cannot be paged backward: leave it out"
            )

    def limit(self, total: int) -> Self:
        """Return a pager that stops after `total` items and requests no more than it needs for them.

        Args:
            total: maximum number of items.

        Returns:
            The new pager.

        Raises:
            InvalidArgumentError: if `total` is not a whole number of at least 0.
        """
        whole_number(total, "limit", least=0)
        bound = self._options.total
        return self._with(total=total if bound is None else min(total, bound))

    def __repr__(self) -> str:
        merged, options = isinstance(self._fetch, Merge), self._options
        parts = [
            f"{len(self._fetch.fetches)} searches" if isinstance(self._fetch, Merge) else self._what,
            f"{options.page_size} per page",
            *([] if options.total is None else [f"at most {options.total}"]),
            *([] if options.start is None or merged else ["backward" if self._backward else "from a cursor"]),
        ]
        return f"<Pager: {', '.join(parts)}>"

    def resume(self, cursor: str | None) -> Self:
        """Return a pager that resumes from a cursor.

        Args:
            cursor: the `next_cursor` of a `Page`, or the `cursor` of an error raised during an iteration. If several
                searches are merged, it has to come from the same query in the same order.

        Returns:
            The new pager.

        Raises:
            InvalidArgumentError: if the cursor is None, which means that a page is the last; if it is empty or not a
                string; if it belongs to another kind of iteration or, for merged searches, to another query.
        """
        if cursor is None:
            raise InvalidArgumentError(
                "cursor is None, because the page that it came from is the last: check has_next before you resume, "
                "or iterate over the pager to start from the beginning"
            )
        check_cursor("cursor", cursor)
        if isinstance(self._fetch, Merge):
            self._fetch.places(cursor)
        elif is_merged(cursor):
            raise InvalidArgumentError("cursor belongs to a query of several merged searches, and this is one search")
        if cursor == BEGINNING:
            if self._backward:
                raise InvalidArgumentError("cursor stands for the beginning, and nothing comes before that")
            return self._with(start=None)
        return self._with(start=cursor)

    def explain(self) -> str:
        """Describe the requests that the pager will send, in words and JSON. The text shows the values of the query."""
        return self._explain()

    def pages(self) -> Walk[T]:
        """Iterate over the pages, with `async for`.

        Raises:
            PersonaError: any error that a request can raise; its `cursor` points to the page that failed.
            PaginationError: if the server repeats a cursor, links to somewhere else, sends the same cases again and
                again, or more than 5,000 empty pages in a row.
        """
        return self._walk(ahead=True)

    def __aiter__(self) -> ItemWalk[T]:
        return ItemWalk(self._walk(ahead=False))

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._first_page().__await__()

    async def collect(self) -> list[T]:
        """Fetch all pages and return all items as a list; `limit(n)` caps their number."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """Return the first item, or None if there is none. It sends one request per search, unless pages are empty."""
        async for item in self.limit(1):
            return item
        return None

    async def one(self) -> T:
        """Return the only item.

        Returns:
            The item.

        Raises:
            ResultCountError: if there is no item, or more than one.
        """
        found, call = list[T](), None
        async for page in self.limit(2)._walk(ahead=False):
            found += page
            call = page.call or call
        if len(found) != 1:
            with naming(call):
                raise ResultCountError(f"expected exactly one result, found {'more than one' if found else 'none'}")
        return found[0]

    async def _first_page(self) -> Page[T]:
        async for page in self._walk(ahead=False):
            return page
        return Page(items=(), next_cursor=None)

    def _with(self, **changed: Any) -> Self:
        """Return the pager with some options changed."""
        return attrs.evolve(self, options=attrs.evolve(self._options, **changed))

    def _walk(self, *, ahead: bool) -> Walk[T]:
        if isinstance(self._fetch, Merge):
            return MergedWalk(self._fetch, self._options, ahead=ahead)
        return PageWalk(self._fetch, self._options, ahead=ahead)


publish("persona_cases", Pager)
