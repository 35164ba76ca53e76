"""`Progress`: whether the pages of a walk still bring something new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from persona_cases.errors import PaginationError

__all__ = ["MOST_EMPTY_PAGES", "MOST_REPEATED_PAGES", "Progress"]

MOST_EMPTY_PAGES: Final = 5_000
"""So many pages in a row may be empty: a server that filters after it has cut pages sends some."""

MOST_REPEATED_PAGES: Final = 16
"""So often may one page come again, under cursors that are new each time."""


class Progress:
    """Looks at the ids of each page of a walk.

    Only one earlier page is remembered, which is replaced after 1, 2, 4, 8 pages and so on: whatever the length of a
    cycle is, the page that is remembered lies in it sooner or later, and comes again and again.
    """

    def __init__(self) -> None:
        self._empty = 0
        self._pages = 0
        self._repeated = 0
        self._remembered = frozenset[str]()
        self._replaced_at = 1

    def see(self, ids: Sequence[str]) -> None:
        """Take in the next page.

        Raises:
            PaginationError: if pages bring nothing new any more.
        """
        self._pages += 1
        if not ids:
            self._empty += 1
            if self._empty > MOST_EMPTY_PAGES:
                raise PaginationError(
                    f"the server sent {MOST_EMPTY_PAGES:,} empty pages in a row, each with a link to the next: "
                    "narrow the search, or report this to the API's support"
                )
            return
        self._empty = 0
        if self._remembered.issuperset(ids):
            self._repeated += 1
            if self._repeated > MOST_REPEATED_PAGES:
                raise PaginationError(
                    "the server keeps sending the same cases under new cursors, so the pages would never end"
                )
        if self._pages >= self._replaced_at:
            self._remembered, self._repeated = frozenset(ids), 0
            self._replaced_at = 2 * self._pages
