"""`FetchedRanges`: which ranges of creation time were fetched, and where to split them for a fetcher without work.

It is pure: pages go in, new ranges come out, and its attributes are its whole state. It estimates how many cases are
left in a range from how close together they were on its last page and where the range after it begins, as if that
changed evenly in between. Where it does not (cases cluster in time) the estimate is wrong, the fetcher that was sent
there soon has no work, and the next split uses what it has seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import attrs

from persona_cases.errors import PaginationError
from persona_cases.export.ranges.fetched_range import FetchedRange
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.paging import LARGEST_PAGE

# A cut costs something, as the last page of a range is half full on average: a part has to be worth more than that.
_FEWEST_PAGES_A_PART: Final = 1.0
# Pages by which estimates are mostly wrong.
_MARGIN: Final = 0.2
# Another fetcher is not worth it if each has only a few pages more.
_SPARE: Final = 0.15
# With less than so many pages left, a range is worth a request only together with others.
_REMNANT: Final = 0.8
# So many pages of remnants are fetched as one, and at least so many as long as there may come more.
_PAGES_TOGETHER: Final = 2.0
_ENOUGH_TOGETHER: Final = 1.5
# A search takes so many clauses at least.
_MOST_TOGETHER: Final = 8
# How many ranges on either side are near enough to learn from, and by what factor what is seen there may differ.
_NEAR: Final = 1
_ALIKE: Final = 1.3

_DIRECTION: Final = (
    "the server ignored the direction of the sort: the far end of the cases cannot be found, and an export would "
    "silently miss cases"
)


@attrs.define(kw_only=True)
class FetchedRanges:
    """All ranges of an export, from the first case to the last there was at its start.

    Attributes:
        all: in the order of time, without gaps.
        end_density: cases a millisecond at the last end; 0 if that is unknown.
    """

    all: list[FetchedRange]
    end_density: float = 0.0

    @classmethod
    def around(cls, first: int, last: int, end_density: float, *, open_end: bool = False) -> FetchedRanges:
        """Return the ranges of an export at its beginning: one range, which asks for everything.

        Args:
            first: when the first case was created, in milliseconds since 1970.
            last: when the last was.
            end_density: cases a millisecond at the last end.
            open_end: whether there may be cases behind the last.
        """
        whole = FetchedRange(number=0, low=first, high=last + 1, asked=TimeRange(), position=first, open_end=open_end)
        return cls(all=[whole], end_density=end_density)

    @classmethod
    def from_first(cls, first: RawPage, until: int | None) -> FetchedRanges:
        """Return the ranges when only the first page is known: one range, which has no end yet.

        Args:
            first: the first page with a case.
            until: where the cases may end, for estimates; None if nothing is known about that.
        """
        low, top = first.moment(0), first.moment(len(first) - 1)
        if first.next_cursor is None:
            return cls.around(low, top, 0.0)
        return cls.around(low, max(top, until or top), 0.0, open_end=True)

    def pages_behind(self, first: RawPage) -> float:
        """Return how many pages there may be behind the first, if cases come as often as on it until the end."""
        low, top = first.moment(0), first.moment(len(first) - 1)
        return len(first) / max(1, top - low) * (self.all[0].high - top) / LARGEST_PAGE

    def bound(self, far_end: RawPage, top: int, *, open_end: bool) -> None:
        """Learn where the cases end.

        Args:
            far_end: the page from where a walk of everything would end, in the opposite order.
            top: when the last case of the first page was created.
            open_end: whether there may be cases behind the far end.

        Raises:
            PaginationError: if the server ignores the direction of the sort: cases would be lost.
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
        """The ranges that are not done, in the order of time."""
        return [each for each in self.all if not each.done]

    @property
    def explored(self) -> bool:
        """Whether a case was seen of every range that has one."""
        return all(each.latest or each.done for each in self.all)

    @property
    def pages_left(self) -> float:
        """How many pages there seem to be left."""
        return sum(self._pages(index) for index, each in enumerate(self.all) if not each.done)

    def parts_of(self, pages: float) -> int:
        """Return how many fetchers there would be if each had about this many pages left."""
        left = [self._pages(index) for index, each in enumerate(self.all) if not each.done]
        return sum(max(1, math.ceil(each / pages - _SPARE)) for each in left)

    def is_remnant(self, fetched: FetchedRange) -> bool:
        """Whether so little seems to be left of a range that it is better fetched together with others."""
        return fetched.told_by_time and not fetched.open_end and self._left_of(fetched) < _REMNANT

    def together(self, remnants: Sequence[FetchedRange], fetched: Iterable[FetchedRange]) -> list[list[FetchedRange]]:
        """Return which remnants to fetch as one now.

        Args:
            remnants: what there is, in the order of time.
            fetched: those being fetched, which may leave more of them.
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
        return [each.number for each in self.all].index(fetched.number)

    def spread(self, fetchers: int) -> list[FetchedRange]:
        """Split ranges for fetchers without work; return the new ranges, at most one for each fetcher.

        What seems to have the most pages left for each that fetches it is cut into parts of the same number of pages,
        the first of them behind the page that its fetcher may be waiting for. What nothing was seen of is not cut: in
        a moment more is known.
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
                # Nobody asks for it yet.
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
        """Return how many cases a millisecond there seem to be at the position of a range, and at its end.

        A page is a small sample. So what was seen nearby counts too, as far as it may be the same.
        """
        near = self.all[max(0, index - _NEAR) : index + _NEAR + 1]
        seen = [each.first_density for each in near if each.pages] + [each.density for each in near if each.pages > 1]
        if len(self.all) <= index + _NEAR:
            seen.append(self.end_density)
        last = self.end_density or self.all[-1].density
        behind = self.all[index + 1].first_density if index + 1 < len(self.all) else last
        return _typical(self.all[index].density, seen), _typical(behind, seen)


def _borders(pages: float, parts: int) -> Iterator[float]:
    """Return where to cut so many pages into parts, the first of which has a page more, as it is on its way.

    The parts are made a little shorter than whole pages, so that their last pages are nearly full.
    """
    border = 0.0
    for part in range(parts - 1):
        ahead = 0.0 if part else 1.0
        length = ahead + (pages - border - ahead) / (parts - part)
        border += max(1.0, round(length)) - _MARGIN
        yield border


def _quantile(share: float, start: float, end: float) -> float:
    """Return how far along a way a share of the cases lies, if their density changes evenly from start to end."""
    wanted = share * (start + end) / 2
    return 2 * wanted / (start + math.sqrt(max(0.0, start * start + 2 * (end - start) * wanted)))


def _typical(value: float, others: Sequence[float]) -> float:
    """Return the mean of a value and of those that are like it."""
    alike = [each for each in others if value / _ALIKE < each < value * _ALIKE]
    return (value + sum(alike)) / (1 + len(alike))
