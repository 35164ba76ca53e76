"""`Profile`: the density of cases over time as far as it was sampled, where to sample next, and ranges of equal size.

It is pure: samples go in, ranges come out. A sample is a page of consecutive cases, which shows exactly how many there
are between its first and last timestamp. What lies between two samples is unknown. The number of cases in a gap is
estimated from the densities on both sides, by their geometric mean. The arithmetic mean would extend a cluster of
cases, such as an import, over the whole gap next to it.
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
# Number of cases from which to estimate density.
_TELLING: Final = 50


def looks_for(count: int) -> list[bool]:
    """Return the looks that are worthwhile to split into this many ranges: for each, whether it explores."""
    looks = min(_LOOKS_A_RANGE * count, _MOST_LOOKS) if count > 1 else 0
    return [number < looks * _EXPLORING for number in range(looks)]


@attrs.frozen
class Look:
    """A sample to take: the oldest cases of a time range.

    Attributes:
        low: its lower bound, in milliseconds since 1970.
        high: its upper bound, excluded.
    """

    low: int
    high: int

    @property
    def range(self) -> TimeRange:
        """The time range."""
        return TimeRange(self.low, self.high)

    def saw(self, moments: Sequence[int], *, complete: bool) -> Sample:
        """Return the sample that this look found.

        Args:
            moments: when the oldest cases were created, ascending.
            complete: whether these are all cases of the range; if not, there is at least one.
        """
        return Sample(self.low, self.high if complete else moments[-1] + 1, moments)


@attrs.frozen
class Sample:
    """All cases of a time range.

    Attributes:
        low: its lower bound, in milliseconds since 1970.
        high: its upper bound, excluded.
        moments: when each of its cases was created, ascending.
    """

    low: int
    high: int
    moments: Sequence[int]

    @property
    def size(self) -> float:
        """The number of cases."""
        return len(self.moments)

    @property
    def first_density(self) -> float:
        """Cases per millisecond at its start."""
        telling = self._telling
        end = self.moments[telling - 1] + 1 if telling else self.high
        return max(1, telling) / (end - self.low)

    @property
    def last_density(self) -> float:
        """Cases per millisecond at its end."""
        telling = self._telling
        start = self.moments[-telling] if telling else self.low
        return max(1, telling) / (self.high - start)

    def cut(self, ahead: float) -> int:
        """Return the timestamp that has, as closely as possible, this many cases before it."""
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
        """The estimated number of cases."""
        return self.span * math.sqrt(self.before * self.behind)

    @property
    def worth(self) -> float:
        """The value of a look, in cases: more than the estimated number if the sides differ."""
        return self.span * (self.before + self.behind) / 2

    @property
    def crux(self) -> int:
        """Return where a look reveals most: in the middle, or nearer to the denser side.

        The extent of a cluster is unknown by orders of magnitude, so halving the gap would take many looks.
        """
        near, far = math.sqrt(self.before), math.sqrt(self.behind)
        return self.low + min(self.span - 1, int(self.span * far / (near + far)))

    def cut(self, ahead: float) -> int:
        return self.low + math.ceil(self.span * min(1.0, ahead / self.size))


@attrs.frozen
class Profile:
    """The distribution of cases over time, from the oldest to the newest.

    Attributes:
        samples: the samples, in order of time, with a gap between any two. The first begins with the oldest case; the
            last ends with the newest.
    """

    samples: tuple[Sample, ...]

    @classmethod
    def between(cls, oldest: Sequence[int], newest: Sequence[int]) -> Self:
        """Return a profile with both ends known.

        Args:
            oldest: when the oldest cases were created, ascending; at least one.
            newest: when the newest cases were created, ascending; empty if the oldest ones are all cases.
        """
        first = Sample(oldest[0], oldest[-1] + 1, oldest)
        rest = newest[bisect_left(newest, first.high) :]
        if not rest:
            return cls((first,))
        # If the ends overlap, nothing is unknown between them.
        low = rest[0] if len(rest) == len(newest) else first.high
        return cls(tuple(_joined([first, Sample(low, rest[-1] + 1, rest)])))

    def next_look(self, *, exploring: bool) -> Look | None:
        """Return the look that reveals most; None if everything is known.

        Args:
            exploring: whether to look into the longest gap, to find unexpected clusters, rather than where the most
                cases seem to be.
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
        """Return the profile with one more sample.

        Args:
            sample: the sample that `next_look` requested.
        """
        return Profile(tuple(_joined(sorted((*self.samples, sample), key=lambda each: each.low))))

    def ranges(self, count: int) -> list[TimeRange]:
        """Split the time up to the newest case into ranges with about the same number of cases.

        Cases with the same timestamp stay together, so there may be fewer ranges than requested.

        Args:
            count: number of ranges.

        Returns:
            The ranges, in order of time. The first has no lower bound; the last ends with the newest case.
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
    """Join samples that touch."""
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
