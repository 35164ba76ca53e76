"""`Frontier`: which parts of the creation time were walked, and where to cut for a walker that has nothing to do.

It is pure: pages go in, cuts come out, and its attributes are its whole state. How many cases a stretch of time still
holds is estimated from how close together they were where it was walked last and where the stretch behind it begins,
as if that changed evenly in between. Where it does not (cases cluster in time) the estimate is wrong, the walker that
was sent there soon has nothing to do, and the next cut is made with what it has seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from persona_cases.errors import PaginationError
from persona_cases.export.ranges import TimeRange
from persona_cases.models.raw_page import Line, RawPage
from persona_cases.paging import LARGEST_PAGE

# A cut costs something, as the last page of a range is half full on average: a part has to be worth more than that.
_FEWEST_PAGES_A_PART: Final = 1.0
# Pages by which estimates are mostly wrong.
_MARGIN: Final = 0.2
# A walker more is not worth it for a few pages more each.
_SPARE: Final = 0.15
# With less than so many pages left, a stretch is worth a request only together with others.
_REMNANT: Final = 0.8
# So many pages of remnants are walked as one, and at least so many as long as there may come more.
_PAGES_TOGETHER: Final = 2.0
_ENOUGH_TOGETHER: Final = 1.5
# With more cases at one moment, only a cursor tells which of them were taken.
_MOST_LATEST: Final = 1_000
# A search takes so many clauses at least.
_MOST_TOGETHER: Final = 8
# How many stretches on either side are near enough to learn from, and by what factor what is seen there may differ.
_NEAR: Final = 1
_ALIKE: Final = 1.3


@attrs.define(kw_only=True)
class Stretch:
    """A range of creation time, and how far it was walked.

    Attributes:
        number: tells it from the others; in the order in which they were made.
        low: its first moment, in milliseconds since 1970.
        high: the moment behind its last; a cut lowers it.
        asked: the range that its walk asks for. It stays what it was at the beginning, since cursors belong to a query.
        position: when the last case that was seen was created; `low` before the first.
        cursor: where the walk goes on.
        latest: ids of cases at the position that were taken; of many, those of the last page.
        complete: whether that is all of them.
        density: cases a millisecond around the position: seen, or assumed before the first page.
        head: the same around `low`.
        cases: cases taken.
        pages: pages taken.
        size: bytes kept of them.
        open_end: whether what is behind its last moment belongs to it as well, which is then an estimate.
        done: whether all of it was walked.
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
    head: float = 0.0
    cases: int = 0
    pages: int = 0
    size: int = 0
    open_end: bool = False
    done: bool = False

    def take(self, page: RawPage, *, shared: bool = False) -> Sequence[Line]:
        """Take the next page of the walk in; return its cases that belong here and were not seen before.

        Args:
            page: the page.
            shared: whether it was counted by another stretch already.

        Raises:
            PaginationError: if the server does not keep to the order that was asked for.
            DecodeError: if what should be a case is none.
        """
        kept, stop = self._kept(page)
        latest = _last_ids(page, stop)
        # From here on nothing fails: what was not taken whole was not taken at all.
        if len(page):
            self._learn_density(len(page) / max(1, page.moment(len(page) - 1) - self.position))
        if stop:
            self._move(page.moment(stop - 1), latest)
        self.cases += len(kept)
        self.pages += not shared
        self.cursor, self.done = page.cursor, page.cursor is None or stop < len(page)
        return kept

    @property
    def rest(self) -> TimeRange:
        """What is left of it. Some of the latest cases are in there again."""
        return TimeRange(self.position, None if self.open_end else self.high)

    def _kept(self, page: RawPage) -> tuple[Sequence[Line], int]:
        """Return what is new on a page, and how many of its cases are before the end of the stretch."""
        if not len(page):
            return (), 0
        first, last = page.moment(0), page.moment(len(page) - 1)
        if first < self.position or last < first:
            raise PaginationError("the server does not keep to the order by creation that was asked for")
        if self.asked.high is not None and last >= self.asked.high:
            raise PaginationError("the server does not keep to the range of creation times that was asked for")
        stop = len(page) if self.open_end or last < self.high else page.first_from(self.high)
        if first != self.position or not self.latest:
            return page.wanted(range(stop)), stop
        equal = min(stop, page.first_from(self.position + 1))
        new = [index for index in range(equal) if page.id(index) not in self.latest]
        return [
            *(line for index in new for line in page.wanted(range(index, index + 1))),
            *page.wanted(range(equal, stop)),
        ], stop

    def _move(self, moment: int, latest: tuple[str, ...]) -> None:
        if moment > self.position:
            self.complete = True
        elif self.complete:
            # They are needed by whoever goes on from the moment, and not by the cursor.
            latest = tuple(dict.fromkeys([*self.latest, *latest]))
            self.complete = len(latest) <= _MOST_LATEST
        self.position, self.latest = moment, latest

    def _learn_density(self, seen: float) -> None:
        self.density = seen
        if not self.pages:
            self.head = seen


def take_together(stretches: Sequence[Stretch], page: RawPage) -> list[tuple[Stretch, Sequence[Line]]]:
    """Take in the next page of a walk through what is left of several stretches, in the order of time.

    Returns:
        The cases that are new, by stretch.

    Raises:
        PaginationError: if the server does not keep to the order that was asked for.
        DecodeError: if what should be a case is none.
    """
    taken: list[tuple[Stretch, Sequence[Line]]] = []
    for each in stretches:
        if each.done:
            continue
        # What is in between was cut off meanwhile.
        start, stop = page.first_from(each.position), page.first_from(each.high)
        ended = stop < len(page) or page.cursor is None
        lines = each.take(page.between(range(start, stop), None if ended else page.cursor), shared=bool(taken))
        # The cursor belongs to the walk of all.
        each.asked, each.cursor = each.rest, None
        taken.append((each, lines))
        if not ended:
            break
    return taken


@attrs.define(kw_only=True)
class Frontier:
    """All stretches of an export, from the first case to the last there was at its start.

    Attributes:
        stretches: in the order of time, without gaps.
        summit: cases a millisecond at the last end.
    """

    stretches: list[Stretch]
    summit: float = 0.0

    @classmethod
    def around(cls, first: int, last: int, summit: float, *, open_end: bool = False) -> Frontier:
        """Return the frontier of an export at its beginning: one stretch, that asks for everything.

        Args:
            first: when the first case was created, in milliseconds since 1970.
            last: when the last was.
            summit: cases a millisecond at the last end.
            open_end: whether there may be cases behind the last.
        """
        whole = Stretch(number=0, low=first, high=last + 1, asked=TimeRange(), position=first, open_end=open_end)
        return cls(stretches=[whole], summit=summit)

    @property
    def open(self) -> list[Stretch]:
        """The stretches that are not done, in the order of time."""
        return [each for each in self.stretches if not each.done]

    @property
    def explored(self) -> bool:
        """Whether a page was seen of every stretch."""
        return all(each.pages or each.done for each in self.stretches)

    @property
    def pages_left(self) -> float:
        """How many pages there seem to be left."""
        return sum(self._pages(index) for index, each in enumerate(self.stretches) if not each.done)

    def parts_of(self, pages: float) -> int:
        """Return how many walkers there would be if each had about so many pages left, and its neighbours as many."""
        left = [self._pages(index) for index, each in enumerate(self.stretches) if not each.done]
        return sum(max(1, math.ceil(each / pages - _SPARE)) for each in left)

    def is_remnant(self, stretch: Stretch) -> bool:
        """Whether so little seems to be left of a stretch that it is better walked together with others."""
        return stretch.complete and not stretch.open_end and self._left_of(stretch) < _REMNANT

    def together(self, remnants: Sequence[Stretch], walked: Iterable[Stretch]) -> list[list[Stretch]]:
        """Return which remnants to walk as one now.

        Args:
            remnants: what there is, in the order of time.
            walked: what is walked, and may leave more of them.
        """
        groups: list[list[Stretch]] = []
        room = 0.0
        for each in remnants:
            left = self._left_of(each)
            if not groups or left > room or len(groups[-1]) == _MOST_TOGETHER:
                groups.append([])
                room = _PAGES_TOGETHER
            groups[-1].append(each)
            room -= left
        if any(self._left_of(each) > _ENOUGH_TOGETHER for each in walked):
            return [group for group in groups if sum(map(self._left_of, group)) >= _ENOUGH_TOGETHER]
        return groups

    def _left_of(self, stretch: Stretch) -> float:
        return self._pages(self.stretches.index(stretch))

    def spread(self, walkers: int) -> list[Stretch]:
        """Cut for walkers that have nothing to do; return the new stretches, at most so many.

        What seems to have the most pages left for each that walks it is cut into parts of the same number of pages,
        the first of them behind the page that its walker may be waiting for. What nothing was seen of is not cut: in
        a moment more is known.
        """
        parts = {index: 1 for index, each in enumerate(self.stretches) if each.pages and not each.done}
        free = {index: self._pages(index) - 1 for index in parts}
        for _ in range(walkers if parts else 0):
            index = max(parts, key=lambda index: free[index] / parts[index])
            if free[index] / (parts[index] + 1) < _FEWEST_PAGES_A_PART:
                break
            parts[index] += 1
        made: list[Stretch] = []
        for index in sorted(parts, reverse=True):
            if parts[index] > 1:
                made += self._cut(index, parts[index])
        return made

    def _cut(self, index: int, parts: int) -> list[Stretch]:
        whole, pages = self.stretches[index], self._pages(index)
        before, end = self._densities(index)
        start, span = whole.position, whole.high - whole.position
        made: list[Stretch] = []
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

    def _split(self, stretch: Stretch, moment: int, density: float) -> Stretch:
        behind = Stretch(
            number=len(self.stretches),
            low=moment,
            high=stretch.high,
            asked=TimeRange(moment, None if stretch.open_end else stretch.high),
            position=moment,
            density=density,
            head=density,
            open_end=stretch.open_end,
        )
        stretch.high, stretch.open_end = moment, False
        self.stretches.insert(self.stretches.index(stretch) + 1, behind)
        return behind

    def _pages(self, index: int) -> float:
        stretch = self.stretches[index]
        start, end = self._densities(index)
        return (stretch.high - stretch.position) * (start + end) / 2 / LARGEST_PAGE

    def _densities(self, index: int) -> tuple[float, float]:
        """Return how many cases a millisecond there seem to be at the position of a stretch, and at its end.

        A page is a small sample. So what was seen nearby counts too, as far as it may be the same.
        """
        near = self.stretches[max(0, index - _NEAR) : index + _NEAR + 1]
        seen = [each.head for each in near if each.pages] + [each.density for each in near if each.pages > 1]
        if len(self.stretches) <= index + _NEAR:
            seen.append(self.summit)
        behind = self.stretches[index + 1].head if index + 1 < len(self.stretches) else self.summit
        return _typical(self.stretches[index].density, seen), _typical(behind, seen)


def _last_ids(page: RawPage, stop: int) -> tuple[str, ...]:
    """Return the ids of the cases that were created at the same time as the last one before `stop`."""
    start = stop
    while start and page.moment(start - 1) == page.moment(stop - 1):
        start -= 1
    return tuple(map(page.id, range(start, stop)))


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
