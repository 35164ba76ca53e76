"""A check that the server sorts by creation time. If it did not, a limit would take the wrong cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from persona_cases.errors import PaginationError, naming

if TYPE_CHECKING:
    from persona_cases.models import Case
    from persona_cases.paging import Fetch, Page, Position

__all__ = ["check_creation_order", "in_creation_order"]


def check_creation_order(times: Iterable[datetime | None], *, descending: bool) -> None:
    """Check the order of the cases on a page.

    Args:
        times: when the cases were created, in the order of the page; None for a case without a creation time.
        descending: whether the newest case must come first.

    Raises:
        PaginationError: if the cases are not in that order.
    """
    known = [time for time in times if time is not None]
    for one, other in pairwise(known):
        if one < other if descending else one > other:
            raise PaginationError(
                "the server returned cases out of creation order, so a limit would take the wrong ones: "
                "sort by another attribute, or report it to the vendor"
            )


def in_creation_order(fetch: Fetch[Case], *, descending: bool) -> Fetch[Case]:
    """Return a function that fetches the same pages and checks their order.

    Args:
        fetch: fetches the pages of a search sorted by creation time.
        descending: whether the newest case must come first.
    """

    async def checked(position: Position) -> Page[Case]:
        page = await fetch(position)
        with naming(page.call):
            check_creation_order((case.created_at for case in page.items), descending=descending)
        return page

    return checked
