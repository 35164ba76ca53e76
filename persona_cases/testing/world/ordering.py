"""A sorted result that is split into pages by key, not by position.

The cursor of the API is the id of a case. The case's position in the order decides what follows it, so an iteration
continues correctly even if cases were added or removed in the meantime. See https://docs.withpersona.com/pagination.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TypeAlias

import attrs

__all__ = ["Ordering", "Slice", "SortKey", "sort_key"]

Sortable: TypeAlias = str | int | float | bool

SortKey: TypeAlias = tuple[int, int, Sortable, str]
"""Whether the value is null, its kind, the value and the id, so that all keys are comparable."""


def sort_key(value: Sortable | None, case_id: str, *, descending: bool) -> SortKey:
    """Return the key of a case with this value, in ascending order; nulls are last in either direction."""
    if value is None:
        return (-1 if descending else 1, 0, "", case_id)
    kind = 0 if isinstance(value, bool) else 2 if isinstance(value, str) else 1
    return (0, kind, value, case_id)


@attrs.frozen
class Slice:
    """The ids of one page, in the requested order, and whether there are more on either side."""

    ids: tuple[str, ...]
    has_prev: bool
    has_next: bool


class Ordering:
    """Keys in ascending order, read forward or backward."""

    def __init__(self, keys: Iterable[SortKey], *, descending: bool) -> None:
        self._keys = sorted(keys)
        self._descending = descending

    def page(self, size: int, *, after: SortKey | None = None, before: SortKey | None = None) -> Slice:
        """Return up to `size` results strictly after, or directly before, a key, in the requested order."""
        total = len(self._keys)
        if before is not None:
            stop = self._behind(before)
            start = max(0, stop - size)
        else:
            start = 0 if after is None else self._ahead(after)
            stop = min(total, start + size)
        first, last = (total - stop, total - start) if self._descending else (start, stop)
        ids = [key[3] for key in self._keys[first:last]]
        if self._descending:
            ids.reverse()
        return Slice(tuple(ids), has_prev=start > 0, has_next=stop < total)

    def _ahead(self, key: SortKey) -> int:
        """Return how many results are at or before `key`."""
        if self._descending:
            return len(self._keys) - bisect_left(self._keys, key)
        return bisect_right(self._keys, key)

    def _behind(self, key: SortKey) -> int:
        """Return how many results are before `key`."""
        if self._descending:
            return len(self._keys) - bisect_right(self._keys, key)
        return bisect_left(self._keys, key)
