"""Ranges of creation time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges import TimeRange

MOMENTS = st.integers(0, 2_000_000_000_000)


@given(low=MOMENTS, high=MOMENTS, cut=MOMENTS, moment=MOMENTS)
def test_a_cut_gives_every_moment_to_exactly_one_part(low, high, cut, moment):
    low, cut, high = sorted((low, cut, high + 2))
    if not low < cut < high:
        return
    whole = TimeRange(low, high)
    parts = whole.cut(cut)
    assert sum(moment in part for part in parts) == (moment in whole)


def test_the_lower_end_belongs_to_a_range_and_the_upper_one_does_not():
    part = TimeRange(10, 20)
    assert [moment in part for moment in (9, 10, 19, 20)] == [False, True, True, False]
    assert -1 in TimeRange(None, 0)
    assert 10**15 in TimeRange(0, None)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1)])
def test_an_empty_range_is_refused(low, high):
    with pytest.raises(InvalidArgumentError, match="ends after it begins"):
        TimeRange(low, high)


@pytest.mark.parametrize("cut", [0, 10, 11])
def test_a_cut_that_leaves_nothing_is_refused(cut):
    with pytest.raises(InvalidArgumentError):
        TimeRange(0, 10).cut(cut)
