"""`Position`: what to request next, and the checks of the arguments that say where an iteration starts."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from persona_cases.errors import Answered, InvalidArgumentError
from persona_cases.protocol.checks import can_be_sent, whole_number
from persona_cases.protocol.message import QueryPairs

LARGEST_PAGE = 100


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


P = TypeVar("P", bound=Linked)


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
