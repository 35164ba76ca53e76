"""How far a mirror has come, and which changes could be missing."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import InvalidArgumentError, PaginationError
from persona_cases.mirror import CaseVersion, Mark, UnfinishedSweep, UnfinishedWalk
from persona_cases.mirror.case_version import Reading
from persona_cases.mirror.listed_windows import ListedWindows, missing_from
from persona_cases.mirror.mark import has_gap

TEN = timedelta(minutes=10)
MS = 600_000

moments = st.integers(0, 10**13)
marks = st.builds(
    Mark,
    watermark=st.none() | moments,
    overlap=st.integers(0, 10**7),
    environment=st.none() | st.just("id_1"),
    walk=st.none()
    | st.builds(UnfinishedWalk, since=st.none() | moments, head=st.none() | moments, position=st.none() | moments),
    sweep=st.none()
    | st.builds(
        UnfinishedSweep, why=st.sampled_from(["asked", "gap"]), full=st.booleans(), after=st.none() | st.just("id_1")
    ),
)


@given(marks)
def test_a_mark_is_stored_as_json(mark):
    assert Mark.from_dict(msgspec.json.decode(msgspec.json.encode(mark.to_dict()))) == mark


def test_something_else_is_no_mark():
    with pytest.raises(InvalidArgumentError, match="make a new mirror"):
        Mark.from_dict({"watermark": 1})


@given(marks, st.none() | moments)
def test_a_watermark_never_goes_back_and_the_overlap_only_widens_the_read(mark, head):
    begun = mark.begin_walk(head, TEN)
    ended = begun.end_walk()
    assert ended.walk is None
    if mark.walk is None:
        assert begun.walk is not None
        assert begun.walk.since == (None if mark.watermark is None else mark.watermark - MS)
        assert ended.watermark == max((each for each in (mark.watermark, head) if each is not None), default=None)
    else:
        assert begun == mark


def test_a_full_comparison_replaces_one_by_times():
    mark = Mark().begin_sweep("gap", full=False).swept_to("case_1", 5)
    assert mark.begin_sweep("asked", full=False) == mark
    assert mark.begin_sweep("asked", full=True).sweep == UnfinishedSweep(why="asked", full=True)


def reading(updated_at: int) -> Reading:
    return Reading(created_at=0, updated_at=updated_at, fresh=True)


def test_a_gap_is_a_change_that_searches_should_have_told():
    assert has_gap([reading(0)], MS + 1, TEN)
    assert not has_gap([reading(0)], MS, TEN)
    assert not has_gap([reading(MS), reading(2 * MS)], 2 * MS, TEN)
    assert not has_gap([], 10**13, TEN)
    # Nothing has changed for hours, and something did just now.
    assert not has_gap([reading(10**9)], 10**9, TEN)


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(1, 7), st.sets(st.integers(0, 39)))
def test_windows_find_exactly_what_the_list_has_not(moments, size, lost):
    moments = sorted(moments, reverse=True)
    all_cases = {f"case_{number}": created_at for number, created_at in enumerate(moments)}
    listed = [(id, created_at) for id, created_at in all_cases.items() if int(id[5:]) not in lost]
    pages = [listed[start : start + size] for start in range(0, len(listed), size)] or [[]]
    windows, missing = ListedWindows(), []
    for number, page in enumerate(pages):
        read = [(id, Reading(created_at=created_at, updated_at=0)) for id, created_at in page]
        window = windows.add(read, last=number == len(pages) - 1)
        if window is not None:
            there = {
                id: CaseVersion(created_at=at, updated_at=0)
                for id, at in all_cases.items()
                if (window.low is None or at >= window.low) and (window.high is None or at < window.high)
            }
            missing += missing_from(window, there)
    assert sorted(missing) == sorted(all_cases.keys() - dict(listed).keys())


def test_a_list_that_goes_up_is_refused():
    windows = ListedWindows()
    windows.add([("case_1", Reading(created_at=5, updated_at=5))], last=False)
    with pytest.raises(PaginationError, match="from new to old"):
        windows.add([("case_2", Reading(created_at=6, updated_at=6))], last=True)
