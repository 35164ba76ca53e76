"""`Profile`: the density of cases over time as far as it was sampled, where to sample next, and ranges of equal size.

It is pure: samples go in, ranges come out. A sample is a page of cases in a row, which tells exactly how many there are
from its first moment to its last. What lies between two samples is unknown. How many cases a gap holds is estimated
from how close together they are on both sides of it: by the geometric mean. The arithmetic one would take a cluster of
cases, such as an import, for the rule in all of the gap beside it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, Self

import attrs

from persona_cases.export.ranges.time_range import TimeRange

__all__ = ["Look", "Profile", "Sample", "looks_for"]

_LOOKS_A_RANGE: Final = 2
_MOST_LOOKS: Final = 16
_EXPLORING: Final = 0.25
# How many cases tell how close together they are.
_TELLING: Final = 50


def looks_for(count: int) -> list[bool]:
    """Return the looks worth taking to split into this many ranges: whether each of them explores."""
    looks = min(_LOOKS_A_RANGE * count, _MOST_LOOKS) if count > 1 else 0
    return [number < looks * _EXPLORING for number in range(looks)]


@attrs.frozen
class Look:
    """A sample to take: the oldest cases of a time range.

    Attributes:
        low: its first moment, in milliseconds since 1970.
        high: the moment behind its last.
    """

    low: int
    high: int

    @property
    def range(self) -> TimeRange:
        """The time range."""
        return TimeRange(self.low, self.high)

    def saw(self, moments: Sequence[int], *, complete: bool) -> Sample:
        """Return what was seen.

        Args:
            moments: when the oldest cases were created, ascending.
            complete: whether these are all cases of the range; if not, there is at least one.
        """
        return Sample(self.low, self.high if complete else moments[-1] + 1, moments)


@attrs.frozen
class Sample:
    """All cases of a time range.

    Attributes:
        low: its first moment, in milliseconds since 1970.
        high: the moment behind its last.
        moments: when each of its cases was created, ascending.
    """

    low: int
    high: int
    moments: Sequence[int]

    @property
    def size(self) -> float:
        """How many cases there are."""
        return len(self.moments)

    @property
    def first_density(self) -> float:
        """Cases a millisecond where it begins."""
        telling = self._telling
        end = self.moments[telling - 1] + 1 if telling else self.high
        return max(1, telling) / (end - self.low)

    @property
    def last_density(self) -> float:
        """Cases a millisecond where it ends."""
        telling = self._telling
        start = self.moments[-telling] if telling else self.low
        return max(1, telling) / (self.high - start)

    def cut(self, ahead: float) -> int:
        """Return the moment that comes closest to having this many cases before it."""
        moments, index = self.moments, round(ahead)
        if index >= len(moments):
            return self.high
        first, behind = bisect_left(moments, moments[index]), bisect_right(moments, moments[index])
        if index - first <= behind - index:
            return moments[index]
        return moments[behind] if behind < len(moments) else self.high

    @property
    def _telling(self) -> int:
        return min(_TELLING, (len(self.moments) + 1) // 2)


@attrs.frozen
class _Gap:
    low: int
    high: int
    before: float
    behind: float

    @property
    def span(self) -> int:
        return self.high - self.low

    @property
    def size(self) -> float:
        """How many cases there probably are."""
        return self.span * math.sqrt(self.before * self.behind)

    @property
    def worth(self) -> float:
        """How many cases a look is about: more than there probably are, if the sides differ."""
        return self.span * (self.before + self.behind) / 2

    @property
    def crux(self) -> int:
        """Where a look tells most: in the middle, or nearer to the side where the cases are closer together.

        How far a cluster reaches is unknown by orders of magnitude, which halving would take long to go through.
        """
        near, far = math.sqrt(self.before), math.sqrt(self.behind)
        return self.low + min(self.span - 1, int(self.span * far / (near + far)))

    def cut(self, ahead: float) -> int:
        return self.low + math.ceil(self.span * min(1.0, ahead / self.size))


@attrs.frozen
class Profile:
    """How the cases lie in time, from the oldest to the newest.

    Attributes:
        samples: what was looked at, in the order of time, with a gap between any two. The first begins with the oldest
            case; the last ends with the newest.
    """

    samples: tuple[Sample, ...]

    @classmethod
    def between(cls, oldest: Sequence[int], newest: Sequence[int]) -> Self:
        """Return the profile of which both ends are known.

        Args:
            oldest: when the oldest cases were created, ascending; at least one.
            newest: when the newest cases were, ascending; none if the oldest ones are all that there are.
        """
        first = Sample(oldest[0], oldest[-1] + 1, oldest)
        rest = newest[bisect_left(newest, first.high) :]
        if not rest:
            return cls((first,))
        # If the ends overlap, nothing is unknown between them.
        low = rest[0] if len(rest) == len(newest) else first.high
        return cls(tuple(_joined([first, Sample(low, rest[-1] + 1, rest)])))

    def next_look(self, *, exploring: bool) -> Look | None:
        """Return where a look tells most; None if everything is known.

        Args:
            exploring: whether to look into the longest gap, so that clusters are found that nothing hints at, rather
                than where the most cases seem to be.
        """
        gaps = self._gaps
        if not gaps:
            return None
        if exploring:
            gap = max(gaps, key=lambda gap: gap.span)
            return Look(gap.low + gap.span // 2, gap.high)
        gap = max(gaps, key=lambda gap: gap.worth)
        return Look(gap.crux, gap.high)

    def with_sample(self, sample: Sample) -> Profile:
        """Return the profile that knows more.

        Args:
            sample: what was seen where `next_look` said.
        """
        return Profile(tuple(_joined(sorted((*self.samples, sample), key=lambda each: each.low))))

    def ranges(self, count: int) -> list[TimeRange]:
        """Cut the time up to the newest case into ranges of about as many cases each.

        Cases of one moment are not divided; so there may be fewer ranges than asked for.

        Args:
            count: how many ranges.

        Returns:
            The ranges, in the order of time. The first has no beginning; the last ends with the newest case.
        """
        oldest, end = self.samples[0].low, self.samples[-1].high
        cuts = [moment for moment in sorted(set(self._cuts(count))) if oldest < moment < end]
        return [TimeRange(low, high) for low, high in pairwise([None, *cuts, end])]

    def _cuts(self, count: int) -> Iterator[int]:
        pieces: list[Sample | _Gap] = [*self.samples, *self._gaps]
        pieces.sort(key=lambda piece: piece.low)
        ends = list(accumulate(piece.size for piece in pieces))
        for number in range(1, count):
            wanted = ends[-1] * number / count
            index = bisect_left(ends, wanted)
            yield pieces[index].cut(wanted - (ends[index] - pieces[index].size))

    @property
    def _gaps(self) -> list[_Gap]:
        return [
            _Gap(one.high, other.low, one.last_density, other.first_density) for one, other in pairwise(self.samples)
        ]


def _joined(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Make one sample of those that touch."""
    last: Sample | None = None
    for sample in samples:
        if last is None:
            last = sample
        elif last.high == sample.low:
            last = Sample(last.low, sample.high, [*last.moments, *sample.moments])
        else:
            yield last
            last = sample
    if last is not None:
        yield last
