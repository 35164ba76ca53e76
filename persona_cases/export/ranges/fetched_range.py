"""`FetchedRange`: a range of creation time, and how much of it was fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from persona_cases.errors import PaginationError
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import Line, RawPage

# With more cases at one timestamp, only a cursor shows which of them were taken.
_MOST_LATEST: Final = 1_000
# Fetching this many of them again costs almost nothing.
_FEW_LATEST: Final = 20


class FetchedRange(msgspec.Struct, kw_only=True):
    """A range of creation time, and how much of it was fetched.

    Attributes:
        number: its number, in the order of creation.
        low: its lower bound, in milliseconds since 1970.
        high: its upper bound, excluded; a split lowers it.
        asked: the range that its query requests. It never changes, because cursors belong to a query.
        position: when the last case seen was created; `low` before the first.
        cursor: where the iteration resumes.
        latest: ids of the cases taken at the position; if there are many, those of the last page.
        complete: whether `latest` has all of them.
        density: cases per millisecond around the position: observed, or assumed before the first page.
        first_density: the same around `low`.
        cases: number of cases taken.
        pages: number of pages taken.
        size: bytes of the cases taken.
        check: the CRC-32 of these bytes.
        open_end: whether cases after `high` belong to it too; `high` is then an estimate.
        done: whether the whole range was fetched.
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
        """Take the next page of the iteration, and return its new cases in the range.

        Args:
            page: the page.
            shared: whether another range already counted it.

        Raises:
            PaginationError: if the server does not return cases in the requested order.
            DecodeError: if a line is not a case.
        """
        kept: Sequence[Line] = ()
        ended = page.next_cursor is None
        if count := len(page.lines):
            first, last = page.moment(0), page.moment(count - 1)
            self._check_order(first, last)
            before, stop, end = self.position, count, last
            if last >= self.high and not self.open_end:
                ended, stop = True, page.first_from(self.high)
                end = page.moment(stop - 1) if stop else before
            kept = self._new(page, stop) if first == before and self.latest else page.first(stop)
            latest = page.ids_at(end, stop) if stop else self.latest
            # Nothing below can fail, so a page is taken completely or not at all.
            self.density = count / max(1, last - before)
            if not self.pages:
                self.first_density = self.density
            if end > before:
                self.complete = True
            elif stop and self.complete:
                latest = self._joined(latest, again=self.cursor is None or len(kept) < stop)
            self.position, self.latest = end, latest
            self.cases += len(kept)
        self.pages += not shared
        self.cursor, self.done = page.next_cursor, ended
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
        """Return whether resuming from the position is nearly as good as from the cursor."""
        return self.complete and len(self.latest) <= _FEW_LATEST

    @property
    def rest(self) -> TimeRange:
        """Return the rest of the range, which includes some of the latest cases again."""
        return TimeRange(self.position, None if self.open_end else self.high)

    def _check_order(self, first: int, last: int) -> None:
        if first < self.position or last < first:
            raise PaginationError("the server returned cases out of creation order")
        if self.asked.high is not None and last >= self.asked.high:
            raise PaginationError("the server returned cases outside the requested range of creation times")

    def _new(self, page: RawPage, stop: int) -> Sequence[Line]:
        """Return the new cases before `stop` of a page that begins at the position."""
        equal = min(stop, page.first_from(self.position + 1))
        new = [index for index in range(equal) if page.id(index) not in self.latest]
        return page.wanted([*new, *range(equal, stop)])

    def _joined(self, latest: tuple[str, ...], *, again: bool) -> tuple[str, ...]:
        """Return the ids of the latest cases and of further ones at the same position; record if they are too many."""
        # Needed when resuming from the timestamp instead of the cursor.
        joined = tuple(dict.fromkeys([*self.latest, *latest]))
        # A query that starts at the timestamp without a cursor would return all of them again.
        self.complete = again or len(joined) <= _MOST_LATEST
        return joined


def take_together(ranges: Sequence[FetchedRange], page: RawPage) -> Iterator[tuple[FetchedRange, Sequence[Line]]]:
    """Take the next page of an iteration through the rests of several ranges.

    Args:
        ranges: the ranges, in order of time.
        page: the page.

    Yields:
        The new cases of each range. Store them before the next step: if the page has an invalid case, the cases before
        it are taken.

    Raises:
        PaginationError: if the server does not return cases in the requested order.
        DecodeError: if a line is not a case.
    """
    counted = False
    for each in ranges:
        if each.done:
            continue
        # The ranges between were split off in the meantime.
        start, stop = page.first_from(each.position), page.first_from(each.high)
        ended = stop < len(page) or page.next_cursor is None
        lines = each.take(page.between(range(start, stop), None if ended else page.next_cursor), shared=counted)
        # The cursor belongs to the iteration over all ranges.
        each.asked, each.cursor = each.rest, None
        counted = True
        yield each, lines
        if not ended:
            break
