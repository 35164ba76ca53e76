"""Where to cut the creation time, from a few looks at it."""

from __future__ import annotations

import random
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import MOMENTS, YEAR

from persona_cases.export.ranges.sampling import Look, Profile, Sample, looks_for
from persona_cases.export.ranges.time_range import TimeRange

COUNTS = st.integers(1, 40)


def profile_of(moments, count, page=100):
    """What is known of a world after all looks; pages hold so many cases."""
    oldest = moments[:page]
    profile = Profile.between(oldest, moments[-page:] if len(oldest) == page else [])
    for exploring in looks_for(count):
        look = profile.next_look(exploring=exploring)
        if look is None:
            break
        start, stop = bisect_left(moments, look.low), bisect_left(moments, look.high)
        seen = moments[start : min(start + page, stop)]
        profile = profile.with_sample(look.saw(seen, complete=len(seen) < page))
    return profile


def sizes(moments, ranges):
    return [sum(moment in part for moment in moments) for part in ranges]


@given(moments=MOMENTS.filter(bool), count=COUNTS, page=st.sampled_from([1, 2, 20, 100]))
def test_ranges_are_adjacent_and_hold_each_case_once(moments, count, page):
    ranges = profile_of(moments, count, page).ranges(count)
    assert 1 <= len(ranges) <= count
    assert all(one.high == other.low for one, other in pairwise(ranges))
    assert (ranges[0].low, ranges[-1].high) == (None, moments[-1] + 1)
    assert sum(sizes(moments, ranges)) == len(moments)


@given(moments=MOMENTS.filter(bool), count=COUNTS)
def test_the_same_world_is_always_cut_in_the_same_way(moments, count):
    assert profile_of(moments, count) == profile_of(list(moments), count)
    assert profile_of(moments, count).ranges(count) == profile_of(moments, count).ranges(count)


@given(moments=MOMENTS.filter(bool), count=COUNTS, page=st.sampled_from([1, 2, 20, 100]))
def test_what_is_known_does_not_overlap_and_is_true(moments, count, page):
    samples = profile_of(moments, count, page).samples
    assert samples[0].low == moments[0]
    assert samples[-1].high == moments[-1] + 1
    assert all(one.high < other.low for one, other in pairwise(samples))
    for sample in samples:
        there = moments[bisect_left(moments, sample.low) : bisect_left(moments, sample.high)]
        # A page may end among cases of one moment.
        assert set(sample.moments) == set(there)


@given(moments=st.lists(st.integers(0, YEAR), min_size=1, max_size=99).map(sorted), count=COUNTS)
def test_a_world_that_fits_a_page_is_cut_exactly(moments, count):
    found = sizes(moments, profile_of(moments, count).ranges(count))
    most_at_once = max(moments.count(moment) for moment in moments)
    assert all(found)
    assert max(found) <= len(moments) / count + most_at_once
    if most_at_once == 1:
        assert len(found) == min(count, len(moments))


@pytest.mark.parametrize(
    ("moments", "found"), [([7], [1]), ([7, 8], [1, 1]), ([7] * 500, [500]), ([7] * 3 + [9], [3, 1])]
)
def test_tiny_worlds(moments, found):
    assert sizes(moments, profile_of(moments, 8).ranges(8)) == found


@pytest.mark.parametrize(
    ("ahead", "moment"),
    # Cases of one moment stay together: the nearer end of them is taken, of two that are as near the first.
    [(0, 5), (1, 7), (2, 7), (3, 9), (3.4, 9), (4, 9), (5, 20)],
)
def test_a_sample_is_cut_between_its_moments(ahead, moment):
    assert Sample(5, 20, [5, 7, 7, 9, 9]).cut(ahead) == moment


def spread(shape):
    """20,000 moments of two years; the shape turns even chances into places between 0 and 1."""
    chance = random.Random(1)
    return sorted(int(shape(chance) * 2 * YEAR) for _ in range(20_000))


MINUTE = 60_000 / (2 * YEAR)
WORLDS = {
    "even": random.Random.random,
    "growing": lambda chance: chance.random() ** 0.5,
    "steeply growing": lambda chance: 1 - min(1, chance.expovariate(6)),
    "an import at the beginning": lambda chance: chance.random() * (60 * MINUTE if chance.random() < 0.5 else 1),
    "an import just now": lambda chance: 1 - chance.random() * (MINUTE if chance.random() < 0.2 else 1),
    "nearly all in the last week": lambda chance: 1 - chance.random() * (0.01 if chance.random() < 0.98 else 1),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("count", [2, 8, 16])
def test_no_range_holds_twice_its_share(world, count):
    moments = spread(world)
    found = sizes(moments, profile_of(moments, count).ranges(count))
    assert len(found) == count
    assert max(found) < 2 * len(moments) / count


def test_looks_are_bounded_and_one_range_takes_none():
    assert [len(looks_for(count)) for count in (1, 2, 5, 8, 9, 1000)] == [0, 4, 10, 16, 16, 16]
    assert Profile.between([3, 5], []).ranges(1) == [TimeRange(None, 6)]


def test_a_look_explores_the_longest_gap_first_and_the_fullest_later():
    sparse, dense = list(range(0, 100_000, 1000)), list(range(900_000, 900_100))
    profile = Profile.between(sparse, dense)
    first = profile.next_look(exploring=True)
    assert first is not None
    assert first.low == (sparse[-1] + 1 + dense[0]) // 2
    later = profile.next_look(exploring=False)
    assert later is not None
    assert first.low < later.low < later.high == dense[0]


def test_a_look_is_asked_for_from_its_first_moment_to_before_its_end():
    assert Look(5, 9).range == TimeRange(5, 9)
