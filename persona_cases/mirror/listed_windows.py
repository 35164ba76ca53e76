"""The comparison of a mirror with the list, by windows of creation time. Pure.

The list goes from new to old. Once it has shown an older case, it has shown all newer ones. So each page completes a
window, in which every case of the mirror is on the list, or has departed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from persona_cases.errors import PaginationError
from persona_cases.mirror.case_version import CaseVersion, Reading

__all__ = ["ListedWindow", "ListedWindows", "missing_from"]


@attrs.frozen
class ListedWindow:
    """The creation times `[low, high)`, and all listed cases in it.

    Attributes:
        low: milliseconds since 1970; None for no bound.
        high: milliseconds since 1970; None for no bound.
        listed: the ids of the cases that the list showed there.
    """

    low: int | None
    high: int | None
    listed: frozenset[str]


class ListedWindows:
    """Combines the pages of a list into windows.

    Args:
        high: the creation time to start at; None for the newest cases.
    """

    def __init__(self, high: int | None = None) -> None:
        self._high = high
        self._pending: dict[str, int] = {}

    def add(self, page: Sequence[tuple[str, Reading]], *, last: bool) -> ListedWindow | None:
        """Add the next page.

        Args:
            page: ids and the data read, in the order of the list.
            last: whether it is the last page.

        Returns:
            The window that it completes; None if it completes none.

        Raises:
            PaginationError: if the list does not go from new to old.
        """
        lowest = min(self._pending.values(), default=None)
        for id, reading in page:
            if lowest is not None and reading.created_at > lowest:
                raise PaginationError("the server did not list the cases from new to old")
            lowest = reading.created_at
            self._pending[id] = lowest
        if lowest is None and not last:
            return None
        # Other cases created in the same millisecond may follow.
        low = None if last or lowest is None else lowest + 1
        done = {id for id, created_at in self._pending.items() if low is None or created_at >= low}
        for id in done:
            del self._pending[id]
        window = ListedWindow(low, self._high, frozenset(done))
        self._high = low
        return window


def missing_from(window: ListedWindow, there: Mapping[str, CaseVersion]) -> list[str]:
    """Return the ids of cases in a window that the mirror has but the list does not."""
    return [id for id in there if id not in window.listed]
