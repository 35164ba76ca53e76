"""`Progress`: whether the pages of an iteration still bring something new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from persona_cases.errors import PaginationError

__all__ = ["MOST_EMPTY_PAGES", "MOST_REPEATED_PAGES", "Progress"]

MOST_EMPTY_PAGES: Final = 5_000
"""Maximum number of empty pages in a row: a server that filters after paging sends some."""

MOST_REPEATED_PAGES: Final = 16
"""How often one page may repeat under new cursors."""


class Progress:
    """Detects repetition from the ids of each page of an iteration.

    It remembers only one earlier page, which it replaces after 1, 2, 4, 8 pages and so on. So whatever the length of a
    cycle, the remembered page eventually lies in it and repeats.
    """

    def __init__(self) -> None:
        self._empty = 0
        self._pages = 0
        self._repeated = 0
        self._remembered = frozenset[str]()
        self._replaced_at = 1

    def see(self, ids: Sequence[str]) -> None:
        """Record the next page.

        Raises:
            PaginationError: if pages no longer bring anything new.
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
