"""Ranges of creation time."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import InvalidArgumentError, QueryTypeError
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import moment_of, time_of
from persona_cases.query import Q

MOMENTS = st.integers(0, 2_000_000_000_000)
BOUNDS = st.none() | st.integers(-62_135_596_800_000, 253_402_300_799_999)
RANGES = (
    st.tuples(BOUNDS, BOUNDS)
    .filter(lambda bounds: None in bounds or bounds[0] < bounds[1])
    .map(lambda bounds: TimeRange(*bounds))
)


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


@pytest.mark.parametrize("bound", ["2025-01-01", 1.5, True, time_of(0)])
def test_a_bound_is_a_whole_number(bound):
    with pytest.raises(InvalidArgumentError, match="high: give whole milliseconds"):
        TimeRange(0, bound)


@pytest.mark.parametrize("bound", [-62_135_596_800_001, 253_402_300_800_000])
def test_a_bound_is_a_time_that_can_be_written(bound):
    with pytest.raises(InvalidArgumentError, match="low: give milliseconds since 1970 of a year from 1 to 9999"):
        TimeRange(bound, None)


@given(part=RANGES)
def test_a_range_goes_wherever_plain_values_go(part):
    assert TimeRange.from_dict(json.loads(json.dumps(part.to_dict()))) == part
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(part, protocol)) == part
    assert {part: 1}[TimeRange(part.low, part.high)] == 1


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        (None, "not NoneType"),
        ([1, 2], "not list"),
        ({}, "both of them"),
        ({"low": 1}, "both of them"),
        ({"low": 1, "high": 2, "middle": 3}, "both of them"),
        ({"low": "1", "high": 2}, "low: give whole milliseconds"),
        ({"low": 1, "high": 2.0}, "high: give whole milliseconds"),
        ({"low": 1, "high": False}, "high: give whole milliseconds"),
        ({"low": 2, "high": 1}, "ends after it begins"),
    ],
)
def test_nonsense_is_not_read(document, wrong):
    with pytest.raises(InvalidArgumentError, match=wrong):
        TimeRange.from_dict(document)


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (TimeRange(), "<TimeRange of all time>"),
        (TimeRange(0, None), "<TimeRange from 1970-01-01T00:00:00.000Z>"),
        (TimeRange(None, 1_735_689_600_001), "<TimeRange before 2025-01-01T00:00:00.001Z>"),
        (TimeRange(0, 500), "<TimeRange from 1970-01-01T00:00:00.000Z before 1970-01-01T00:00:00.500Z>"),
    ],
)
def test_a_range_is_shown_as_times(part, written):
    assert repr(part) == written


@given(part=RANGES, moment=BOUNDS.filter(lambda bound: bound is not None), status=st.sampled_from(["open", "done"]))
def test_the_expression_of_a_range_finds_what_is_in_it(part, moment, status):
    case = {
        "type": "case",
        "id": "case_1",
        "attributes": {"status": status, "created_at": time_of(moment).isoformat(timespec="milliseconds")},
    }
    assert moment_of(time_of(moment)) == moment
    alone, among = part.narrow(), part.narrow(Q.status.eq("open"))
    assert (alone is None or alone.matches(case)) == (moment in part)
    assert among is not None
    assert among.matches(case) == (moment in part and status == "open")


def test_all_time_adds_nothing_to_an_expression():
    where = Q.status.eq("open")
    assert TimeRange().narrow() is None
    assert TimeRange().narrow(where) is where


def test_only_an_expression_can_be_narrowed():
    with pytest.raises(QueryTypeError, match="where must be a search expression"):
        TimeRange(0, 1).narrow("status == 'open'")
