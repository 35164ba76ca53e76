"""`FetchedRange`: a range of creation time, and how much of it was fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from persona_cases.errors import PaginationError
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import Line, RawPage

# With more cases at one moment, only a cursor tells which of them were taken.
_MOST_LATEST: Final = 1_000
# So many of them may be met again without a loss worth speaking of.
_FEW_LATEST: Final = 20


@attrs.define(kw_only=True)
class FetchedRange:
    """A range of creation time, and how much of it was fetched.

    Attributes:
        number: tells it from the others; in the order in which they were made.
        low: its first moment, in milliseconds since 1970.
        high: the moment behind its last; a cut lowers it.
        asked: the range that its walk asks for. It stays what it was at the beginning, since cursors belong to a query.
        position: when the last case that was seen was created; `low` before the first.
        cursor: where the walk resumes.
        latest: ids of cases at the position that were taken; of many, those of the last page.
        complete: whether that is all of them.
        density: cases a millisecond around the position: seen, or assumed before the first page.
        first_density: the same around `low`.
        cases: cases taken.
        pages: pages taken.
        size: bytes kept of them.
        check: the CRC-32 of these bytes.
        open_end: whether what is behind its last moment belongs to it as well, which is then an estimate.
        done: whether all of it was fetched.
    """

    number: int
    low: int
    high: int
    asked: TimeRange
    position: int
    cursor: str | None = None
    latest: tuple[str, ...] = ()
    complete: bool = True
    density: float = 0.0
    first_density: float = 0.0
    cases: int = 0
    pages: int = 0
    size: int = 0
    check: int = 0
    open_end: bool = False
    done: bool = False

    def take(self, page: RawPage, *, shared: bool = False) -> Sequence[Line]:
        """Take the next page of the walk; return its cases that are in the range and new.

        Args:
            page: the page.
            shared: whether it was counted by another range already.

        Raises:
            PaginationError: if the server does not keep to the order that was asked for.
            DecodeError: if a line is not a case.
        """
        kept, stop = self._kept(page)
        latest = _last_ids(page, stop)
        # From here on nothing fails: what was not taken whole was not taken at all.
        if len(page):
            self._learn_density(len(page) / max(1, page.moment(len(page) - 1) - self.position))
        if stop:
            self._move(page.moment(stop - 1), latest, again=self.cursor is None or len(kept) < stop)
        self.cases += len(kept)
        self.pages += not shared
        self.cursor, self.done = page.next_cursor, page.next_cursor is None or stop < len(page)
        return kept

    def ask_by_time(self) -> bool:
        """Resume the walk from the time of the last case, without the cursor; return whether that is possible.

        The server may no longer know the cursor, because its case was closed or deleted.
        """
        if self.cursor is None or not self.complete or self.asked == self.rest:
            return False
        self.asked, self.cursor = self.rest, None
        return True

    @property
    def told_by_time(self) -> bool:
        """Whether the position is nearly as good as the cursor to resume from."""
        return self.complete and len(self.latest) <= _FEW_LATEST

    @property
    def rest(self) -> TimeRange:
        """The rest of the range, which includes some of the latest cases again."""
        return TimeRange(self.position, None if self.open_end else self.high)

    def _kept(self, page: RawPage) -> tuple[Sequence[Line], int]:
        """Return what is new on a page, and how many of its cases are before the end of the range."""
        if not len(page):
            return (), 0
        first, last = page.moment(0), page.moment(len(page) - 1)
        if first < self.position or last < first:
            raise PaginationError("the server returned cases out of creation order")
        if self.asked.high is not None and last >= self.asked.high:
            raise PaginationError("the server returned cases outside the requested range of creation times")
        stop = len(page) if self.open_end or last < self.high else page.first_from(self.high)
        if first != self.position or not self.latest:
            return page.first(stop), stop
        equal = min(stop, page.first_from(self.position + 1))
        new = [index for index in range(equal) if page.id(index) not in self.latest]
        return page.wanted([*new, *range(equal, stop)]), stop

    def _move(self, moment: int, latest: tuple[str, ...], *, again: bool) -> None:
        if moment > self.position:
            self.complete = True
        elif self.complete:
            # They are needed by whoever goes on from the moment, and not by the cursor.
            latest = tuple(dict.fromkeys([*self.latest, *latest]))
            # What begins at the moment without a cursor would meet all of them again.
            self.complete = again or len(latest) <= _MOST_LATEST
        self.position, self.latest = moment, latest

    def _learn_density(self, seen: float) -> None:
        self.density = seen
        if not self.pages:
            self.first_density = seen


def take_together(ranges: Sequence[FetchedRange], page: RawPage) -> Iterator[tuple[FetchedRange, Sequence[Line]]]:
    """Take the next page of a walk through the rest of several ranges.

    Args:
        ranges: the ranges, in the order of time.
        page: the page.

    Yields:
        The new cases of each range. Keep them before the next step: of a page with a wrong case at its end, the cases
        before it are taken.

    Raises:
        PaginationError: if the server does not keep to the order that was asked for.
        DecodeError: if a line is not a case.
    """
    counted = False
    for each in ranges:
        if each.done:
            continue
        # What is in between was cut off meanwhile.
        start, stop = page.first_from(each.position), page.first_from(each.high)
        ended = stop < len(page) or page.next_cursor is None
        lines = each.take(page.between(range(start, stop), None if ended else page.next_cursor), shared=counted)
        # The cursor belongs to the walk of all.
        each.asked, each.cursor = each.rest, None
        counted = True
        yield each, lines
        if not ended:
            break


def _last_ids(page: RawPage, stop: int) -> tuple[str, ...]:
    """Return the ids of the cases that were created at the same time as the last one before `stop`."""
    start = stop
    while start and page.moment(start - 1) == page.moment(stop - 1):
        start -= 1
    return tuple(map(page.id, range(start, stop)))
