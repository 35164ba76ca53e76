"""`FetchedRanges`: which ranges of creation time were fetched, and where to split them for an idle fetcher.

It is pure: pages go in, new ranges come out, and its attributes are its whole state. It estimates how many cases are
left in a range from the density on its last page and at the start of the next range, as if density changed linearly in
between. If cases cluster in time, the estimate is wrong. Then the fetcher that was sent there soon has no work, and the
next split uses what it has observed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from persona_cases.errors import PaginationError
from persona_cases.export.ranges.fetched_range import FetchedRange
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.paging import LARGEST_PAGE

# A split has a cost, because the last page of a range is half full on average. A part must be worth more than that.
_FEWEST_PAGES_A_PART: Final = 1.0
# The usual error of estimates, in pages.
_MARGIN: Final = 0.2
# Another fetcher is not worthwhile if each has only a few pages left.
_SPARE: Final = 0.15
# With fewer pages left than this, a range is worth a request only together with others.
_REMNANT: Final = 0.8
# Maximum number of pages of remnants to fetch as one, and the minimum while more may follow.
_PAGES_TOGETHER: Final = 2.0
_ENOUGH_TOGETHER: Final = 1.5
# The minimum number of clauses that a search accepts.
_MOST_TOGETHER: Final = 8
# How many ranges on either side to learn from, and by which factor their densities may differ.
_NEAR: Final = 1
_ALIKE: Final = 1.3

# With this many cases left by the density of its last page alone, a range is no remnant by any estimate: an estimate
# takes the mean of two densities, and one of them is that density, at most by this factor smaller.
_TOO_MANY: Final = 2 * _ALIKE * _REMNANT * LARGEST_PAGE

_DIRECTION: Final = (
    "the server ignored the sort direction, so the far end of the cases cannot be found, and an export would "
    "silently miss cases"
)


class FetchedRanges(msgspec.Struct, kw_only=True):
    """All ranges of an export, from the first case to the last one at its start.

    Attributes:
        all: the ranges in order of time, without gaps.
        end_density: cases per millisecond at the end; 0 if unknown.
    """

    all: list[FetchedRange]
    end_density: float = 0.0

    @classmethod
    def around(cls, first: int, last: int, end_density: float, *, open_end: bool = False) -> FetchedRanges:
        """Return the ranges at the start of an export: one range with everything.

        Args:
            first: when the first case was created, in milliseconds since 1970.
            last: when the last case was created.
            end_density: cases per millisecond at the end.
            open_end: whether there may be cases after the last.
        """
        whole = FetchedRange(number=0, low=first, high=last + 1, asked=TimeRange(), position=first, open_end=open_end)
        return cls(all=[whole], end_density=end_density)

    @classmethod
    def from_first(cls, first: RawPage, until: int | None) -> FetchedRanges:
        """Return the ranges when only the first page is known: one range without an end.

        Args:
            first: the first page with a case.
            until: where the cases may end, for estimates; None if unknown.
        """
        low, top = first.moment(0), first.moment(len(first) - 1)
        if first.next_cursor is None:
            return cls.around(low, top, 0.0)
        return cls.around(low, max(top, until or top), 0.0, open_end=True)

    def pages_behind(self, first: RawPage) -> float:
        """Return how many pages may follow the first, if its density holds until the end."""
        low, top = first.moment(0), first.moment(len(first) - 1)
        return len(first) / max(1, top - low) * (self.all[0].high - top) / LARGEST_PAGE

    def bound(self, far_end: RawPage, top: int, *, open_end: bool) -> None:
        """Set the end of the cases.

        Args:
            far_end: the last page of everything, in the opposite order.
            top: when the last case of the first page was created.
            open_end: whether there may be cases after the far end.

        Raises:
            PaginationError: if the server ignores the sort direction, because cases would be lost.
        """
        whole = self.all[-1]
        if whole.done:
            return
        moments = [far_end.moment(index) for index in range(len(far_end))]
        if any(one < other for one, other in pairwise(moments)) or (moments and moments[0] < top):
            raise PaginationError(_DIRECTION)
        last = max([whole.position, top, *moments[:1]])
        self.end_density = len(moments) / max(1, last - moments[-1]) if moments else 0.0
        # If both ends look alike, the server may have sent the same one twice.
        whole.high, whole.open_end = last + 1, open_end or last == whole.low or not moments

    @property
    def open(self) -> list[FetchedRange]:
        """The ranges that are not done, in order of time."""
        return [each for each in self.all if not each.done]

    @property
    def explored(self) -> bool:
        """Return whether a case was seen in every range that has one."""
        return all(each.latest or each.done for each in self.all)

    @property
    def pages_left(self) -> float:
        """Return the estimated number of pages left."""
        return sum(self._pages(index) for index, each in enumerate(self.all) if not each.done)

    def parts_of(self, pages: float) -> int:
        """Return how many fetchers there would be if each had about this many pages left."""
        left = [self._pages(index) for index, each in enumerate(self.all) if not each.done]
        return sum(max(1, math.ceil(each / pages - _SPARE)) for each in left)

    def is_remnant(self, fetched: FetchedRange) -> bool:
        """Return whether so little seems left of a range that it is better fetched together with others."""
        if fetched.open_end or (fetched.high - fetched.position) * fetched.density >= _TOO_MANY:
            return False
        return fetched.told_by_time and self._left_of(fetched) < _REMNANT

    def together(self, remnants: Sequence[FetchedRange], fetched: Iterable[FetchedRange]) -> list[list[FetchedRange]]:
        """Return which remnants to fetch as one now.

        Args:
            remnants: the remnants, in order of time.
            fetched: the ranges being fetched, which may leave more remnants.
        """
        groups: list[list[FetchedRange]] = []
        room = 0.0
        for each in remnants:
            left = self._left_of(each)
            if not groups or left > room or len(groups[-1]) == _MOST_TOGETHER:
                groups.append([])
                room = _PAGES_TOGETHER
            groups[-1].append(each)
            room -= left
        if any(self._left_of(each) > _ENOUGH_TOGETHER for each in fetched):
            return [group for group in groups if sum(map(self._left_of, group)) >= _ENOUGH_TOGETHER]
        return groups

    def _left_of(self, fetched: FetchedRange) -> float:
        return self._pages(self._index(fetched))

    def _index(self, fetched: FetchedRange) -> int:
        return self.all.index(fetched)

    def spread(self, fetchers: int) -> list[FetchedRange]:
        """Split ranges for idle fetchers; return the new ranges, at most one per fetcher.

        The range with the most pages left per fetcher is split into parts of equally many pages, the first of them
        after the page that its fetcher may be waiting for. A range of which nothing was seen is not split, because soon
        more will be known.
        """
        parts = {index: 1 for index, each in enumerate(self.all) if each.latest and not each.done}
        free = {index: self._pages(index) - 1 for index in parts}
        for _ in range(fetchers if parts else 0):
            index = max(parts, key=lambda index: free[index] / parts[index])
            if free[index] / (parts[index] + 1) < _FEWEST_PAGES_A_PART:
                break
            parts[index] += 1
        made: list[FetchedRange] = []
        for index in sorted(parts, reverse=True):
            if parts[index] > 1:
                made += self._cut(index, parts[index])
        return made

    def _cut(self, index: int, parts: int) -> list[FetchedRange]:
        whole, pages = self.all[index], self._pages(index)
        before, end = self._densities(index)
        start, span = whole.position, whole.high - whole.position
        made: list[FetchedRange] = []
        last = whole
        for border in _borders(pages, parts):
            way = _quantile(border / pages, before, end)
            moment = start + math.ceil(way * span)
            if not max(last.low, last.position) < moment < last.high:
                continue
            if made:
                # No fetcher is requesting it yet.
                last.asked = TimeRange(last.low, moment)
            last = self._split(last, moment, before + way * (end - before))
            made.append(last)
        return made

    def _split(self, fetched: FetchedRange, moment: int, density: float) -> FetchedRange:
        behind = FetchedRange(
            number=len(self.all),
            low=moment,
            high=fetched.high,
            asked=TimeRange(moment, None if fetched.open_end else fetched.high),
            position=moment,
            density=density,
            first_density=density,
            open_end=fetched.open_end,
        )
        fetched.high, fetched.open_end = moment, False
        self.all.insert(self._index(fetched) + 1, behind)
        return behind

    def _pages(self, index: int) -> float:
        fetched = self.all[index]
        start, end = self._densities(index)
        return (fetched.high - fetched.position) * (start + end) / 2 / LARGEST_PAGE

    def _densities(self, index: int) -> tuple[float, float]:
        """Return the estimated cases per millisecond at the position of a range, and at its end.

        A page is a small sample, so similar densities observed nearby count too.
        """
        near = self.all[max(0, index - _NEAR) : index + _NEAR + 1]
        seen = [each.first_density for each in near if each.pages] + [each.density for each in near if each.pages > 1]
        if len(self.all) <= index + _NEAR:
            seen.append(self.end_density)
        last = self.end_density or self.all[-1].density
        behind = self.all[index + 1].first_density if index + 1 < len(self.all) else last
        return _typical(self.all[index].density, seen), _typical(behind, seen)


def _borders(pages: float, parts: int) -> Iterator[float]:
    """Return where to split pages into parts. The first part has one page more, because it is being fetched.

    The parts are slightly shorter than whole pages, so that their last pages are nearly full.
    """
    border = 0.0
    for part in range(parts - 1):
        ahead = 0.0 if part else 1.0
        length = ahead + (pages - border - ahead) / (parts - part)
        border += max(1.0, round(length)) - _MARGIN
        yield border


def _quantile(share: float, start: float, end: float) -> float:
    """Return the position, from 0 to 1, before which a share of the cases lies, if density changes linearly."""
    wanted = share * (start + end) / 2
    return 2 * wanted / (start + math.sqrt(max(0.0, start * start + 2 * (end - start) * wanted)))


def _typical(value: float, others: Sequence[float]) -> float:
    """Return the mean of a value and of similar ones."""
    low, high = value / _ALIKE, value * _ALIKE
    alike = [each for each in others if low < each < high]
    return (value + sum(alike)) / (1 + len(alike))
