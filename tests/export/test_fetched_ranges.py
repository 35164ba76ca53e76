"""The ranges: every case once and in order, however the fetchers take turns."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import MOMENTS, YEAR, World, line, moments_of

from persona_cases.errors import DecodeError, PaginationError
from persona_cases.export.ranges.fetched_range import FetchedRange, take_together
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import RawPage


class Fetching:
    """Fetchers that take turns as somebody else decides; their pages were asked for before others cut."""

    def __init__(self, world, fetchers):
        self.world, self.fetchers, self.requests = world, fetchers, 0
        self.lines, self.flights = {}, {}
        newest = world.moments[-1]
        oldest = world.moments[0]
        self.ranges = FetchedRanges.around(oldest, newest, len(world.moments) / max(1, newest - oldest))
        self.staff()

    def staff(self):
        free = self.fetchers - len(self.flights)
        waiting = [each for each in self.ranges.open if each.number not in self.flights]
        for fetched in waiting[:free] or (self.ranges.spread(free) if free > 0 else []):
            self.ask(fetched)

    def ask(self, fetched):
        self.requests += 1
        self.flights[fetched.number] = fetched, self.world.page(fetched.asked, fetched.cursor)

    def land(self, choice):
        number = sorted(self.flights)[choice % len(self.flights)]
        fetched, page = self.flights.pop(number)
        self.lines.setdefault(number, []).extend(fetched.take(page))
        if not fetched.done:
            self.ask(fetched)
        self.staff()

    @property
    def result(self):
        return [line for fetched in self.ranges.all for line in self.lines.get(fetched.number, ())]


@given(moments=MOMENTS.filter(bool), fetchers=st.integers(1, 20), data=st.data())
def test_every_case_comes_once_and_in_order_however_fetchers_take_turns(moments, fetchers, data):
    fetching = Fetching(World(moments, size=20), fetchers)
    turns = data.draw(st.lists(st.integers(0, 19), max_size=60))
    while fetching.ranges.open:
        fetching.land(turns.pop() if turns else 0)
    assert fetching.result == fetching.world.lines
    assert not fetching.flights
    ends = [(each.low, each.high) for each in fetching.ranges.all]
    assert all(left[1] == right[0] for left, right in pairwise(ends))
    assert sum(each.cases for each in fetching.ranges.all) == len(moments)


@given(moments=MOMENTS.filter(bool), empty=st.sets(st.integers(0, 400), max_size=20), fetchers=st.integers(1, 9))
def test_empty_pages_end_nothing(moments, empty, fetchers):
    fetching = Fetching(World(moments, size=20, empty_at=frozenset(empty)), fetchers)
    while fetching.ranges.open:
        fetching.land(0)
    assert fetching.result == fetching.world.lines


@pytest.mark.parametrize("fetchers", [1, 2, 7, 16])
@pytest.mark.parametrize("shape", [[(0, YEAR, 20_000)], [(0, YEAR, 8_000), (YEAR // 2, YEAR // 3, 12_000)]])
def test_few_requests_are_more_than_the_cases_need(fetchers, shape):
    fetching = Fetching(World(moments_of(shape)), fetchers)
    while fetching.ranges.open:
        fetching.land(0)
    # A range costs at most a page more than it has, and fetchers that finish early cut again.
    assert fetching.requests <= 200 + 2 * fetchers
    assert fetching.requests >= math.ceil(20_000 / 100)


@pytest.mark.parametrize("place", [0.0, 0.37, 0.995])
def test_a_cluster_is_shared_by_the_fetchers(place):
    start, length = int(place * YEAR), YEAR // 100
    world = World(moments_of([(0, YEAR, 2_000), (start, length, 18_000)]))
    fetching = Fetching(world, 16)
    turns = 0
    while fetching.ranges.open:
        for _ in range(len(fetching.flights)):
            fetching.land(turns % 16)
            turns += 1
    assert fetching.result == world.lines
    longest = max(each.pages for each in fetching.ranges.all)
    assert longest <= 40
    assert fetching.requests <= 200 + 80


def test_a_range_with_little_left_is_not_cut():
    world = World(moments_of([(0, YEAR, 350)]))
    fetching = Fetching(world, 1)
    fetching.land(0)
    assert fetching.ranges.spread(5) == []
    assert FetchedRanges(all=[]).spread(5) == []


def test_a_cut_lies_behind_the_page_on_its_way():
    fetching = Fetching(World(moments_of([(0, YEAR, 5_000)])), 1)
    fetching.land(0)
    fetcher = fetching.ranges.all[0]
    (made,) = fetching.ranges.spread(1)
    page_behind = fetching.world.moments[2 * 100]
    assert fetcher.high == made.low > page_behind
    assert (fetcher.asked.low, fetcher.asked.high) == (None, None)


def test_cases_seen_before_are_left_out_and_others_of_the_same_time_are_not():
    ranges = FetchedRanges.around(5, 5, 1.0)
    fetched = ranges.all[0]
    first = fetched.take(RawPage([line(1, 5), line(2, 5)], "a"))
    second = fetched.take(RawPage([line(2, 5), line(3, 5), line(1, 5)], None))
    assert [*first, *second] == [line(1, 5), line(2, 5), line(3, 5)]
    assert fetched.done


@pytest.mark.parametrize("moments", [[9, 8], [3, 6]])
def test_a_server_that_does_not_keep_to_the_order_is_found_out(moments):
    ranges = FetchedRanges.around(5, 20, 1.0)
    with pytest.raises(PaginationError, match="order"):
        ranges.all[0].take(RawPage([line(number, moment) for number, moment in enumerate(moments)], "a"))
    assert ranges == FetchedRanges.around(5, 20, 1.0)


def test_a_server_that_does_not_keep_to_the_range_is_found_out():
    ranges = FetchedRanges.around(0, 10_000, 1.0)
    ranges.all[0].take(RawPage([line(1, 0), line(2, 1)], "a"))
    (made,) = ranges.spread(1)
    for moment in (made.low - 1, made.high):
        with pytest.raises(PaginationError, match="order|range"):
            made.take(RawPage([line(3, moment)], None))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_page_that_can_not_be_taken_whole_is_not_taken_at_all(place):
    ranges = FetchedRanges.around(5, 20, 1.0)
    fetched = ranges.all[0]
    fetched.take(RawPage([line(1, 5), line(2, 6)], "a"))
    before = replace(fetched)
    lines = [line(3, 6), line(4, 6), line(5, 6)]
    lines[place] = b"{}"
    with pytest.raises(DecodeError):
        fetched.take(RawPage(lines, "b"))
    assert fetched == before


# ---- what is left of several ranges -----------------------------------------------------------------------------


def ranges_of(*bounds):
    return [
        FetchedRange(number=number, low=low, high=high, asked=TimeRange(low, high), position=low)
        for number, (low, high) in enumerate(bounds)
    ]


def taken_from(several, page):
    return list(take_together(several, page))


def page_of(*moments, cursor=None):
    return RawPage([line(moment, moment) for moment in moments], cursor)


def test_a_page_of_several_ranges_is_divided_among_them():
    first, second, third = several = ranges_of((0, 10), (20, 30), (40, 50))
    taken = taken_from(several, page_of(1, 5, 22, cursor="a"))
    assert taken == [(first, [line(1, 1), line(5, 5)]), (second, [line(22, 22)])]
    assert [each.done for each in several] == [True, False, False]
    assert (second.position, second.rest, second.cursor) == (22, TimeRange(22, 30), None)
    # Whoever goes on alone gets the latest case again, and so does the same walk if its cursor says so.
    taken = taken_from(several, page_of(22, 28, 41))
    assert taken == [(second, [line(28, 28)]), (third, [line(41, 41)])]
    assert all(each.done for each in several)
    assert [each.pages for each in several] == [1, 1, 0]


def test_an_empty_page_of_several_ranges_ends_them_only_if_it_is_the_last():
    several = ranges_of((0, 10), (20, 30))
    assert [lines for _, lines in taken_from(several, RawPage((), "a"))] == [()]
    assert not any(each.done for each in several)
    taken_from(several, RawPage(()))
    assert all(each.done for each in several)


def test_what_was_cut_off_a_range_meanwhile_belongs_to_somebody_else():
    first, second = ranges_of((0, 10), (20, 30))
    first.high = 5
    taken = taken_from([first, second], page_of(1, 6, 7, 21))
    assert taken == [(first, [line(1, 1)]), (second, [line(21, 21)])]


def test_a_large_crowd_at_one_moment_is_walked_to_its_end_by_one():
    ranges = FetchedRanges.around(0, 500, 0.01)
    (fetched,) = ranges.all
    for start in range(0, 1_100, 100):
        assert fetched.complete
        fetched.take(RawPage([line(number, 0) for number in range(start, start + 100)], str(start)))
    # Not all of the cases that were taken at this moment are known any more.
    assert not fetched.complete
    fetched.density = fetched.first_density = 0.01
    assert not ranges.is_remnant(fetched)
    fetched.take(RawPage([line(number, number - 1_000) for number in range(1_100, 1_200)], "c"))
    assert fetched.complete


def test_cases_of_one_moment_that_come_again_in_parts_are_known_nevertheless():
    (fetched,) = ranges_of((0, 10))
    fetched.take(RawPage([line(number, 5) for number in range(6)], "a"))
    taken = [
        lines
        for part in (range(4), range(4, 8), range(8, 9))
        for _, lines in taken_from([fetched], RawPage([line(number, 5) for number in part], "b"))
    ]
    assert taken == [[], [line(6, 5), line(7, 5)], [line(8, 5)]]


@pytest.mark.parametrize(
    ("count", "complete", "is_told"), [(1, True, True), (20, True, True), (21, True, False), (1, False, False)]
)
def test_a_position_tells_where_to_go_on_if_few_cases_are_there_and_all_are_known(count, complete, is_told):
    (fetched,) = ranges_of((0, 10))
    fetched.latest, fetched.complete = tuple(map(str, range(count))), complete
    assert fetched.told_by_time is is_told


def test_a_walk_goes_on_by_time_if_it_has_a_cursor_and_nothing_is_lost_by_it():
    (fetched,) = ranges_of((0, 10))
    fetched.position, fetched.cursor = 5, "case_1"
    by_time = replace(fetched)
    assert by_time.ask_by_time()
    assert (by_time.asked, by_time.cursor) == (TimeRange(5, 10), None)
    assert not replace(fetched, cursor=None).ask_by_time()
    assert not replace(fetched, complete=False).ask_by_time()
    assert not replace(fetched, position=0).ask_by_time()


def test_remnants_are_walked_together_once_there_are_enough():
    ranges = FetchedRanges(all=ranges_of(*((1_000 * number, 1_000 * number + 50) for number in range(6))))
    *remnants, busy = ranges.all
    for each in ranges.all:
        each.density = each.first_density = 1.0
    assert ranges.together(remnants, []) == [remnants[:4], remnants[4:]]
    busy.high = busy.low + 1_000
    assert ranges.together(remnants, [busy]) == [remnants[:4]]
    assert ranges.together(remnants[:2], [busy]) == []


def test_what_was_taken_before_a_page_is_refused_is_not_lost():
    first, second = several = ranges_of((0, 10), (20, 30))
    page = RawPage([line(1, 1), line(2, 5), b'{"type":"case","id":"case_3","attributes":{}}'], None)
    taken = []
    with pytest.raises(DecodeError):
        taken.extend(take_together(several, page))
    assert sum(len(lines) for _, lines in taken) == first.cases
    assert (second.cases, second.done) == (0, False)


def test_a_range_of_which_no_case_was_seen_is_not_cut():
    ranges = FetchedRanges.around(0, 1_000, 10.0)
    (fetched,) = ranges.all
    fetched.take(RawPage([line(number, 0) for number in range(100)], "a"))
    made = ranges.spread(3)
    assert len(made) == 3
    for each in made:
        each.take(RawPage((), "b"))
    assert not ranges.explored
    assert {each.number for each in ranges.spread(20)}.isdisjoint(each.number for each in made)
    assert all(each.high - each.low > 100 for each in made)


# ---- what seems to be left, and for how many ------------------------------------------------------------------------


def evenly(cases, *, parts=1, pages=1):
    """Ranges with so many cases to come, a case a millisecond, of equal length."""
    length = cases // parts
    made = [
        FetchedRange(
            number=number,
            low=number * length,
            high=(number + 1) * length,
            asked=TimeRange(number * length, (number + 1) * length),
            position=number * length,
            density=1.0,
            first_density=1.0,
            pages=pages,
        )
        for number in range(parts)
    ]
    return FetchedRanges(all=made, end_density=1.0)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_the_pages_left_are_those_of_the_ranges_that_are_not_done(parts):
    ranges = evenly(10_000, parts=parts)
    assert ranges.pages_left == pytest.approx(100)
    ranges.all[0].done = True
    assert ranges.pages_left == pytest.approx(100 - 100 / parts)


def test_it_is_explored_when_every_range_was_seen_or_is_done():
    ranges = evenly(1_000, parts=2)
    first, second = ranges.all
    assert not ranges.explored
    first.latest = ("case_1",)
    assert not ranges.explored
    second.done = True
    assert ranges.explored
    first.latest = ()
    assert not ranges.explored


@pytest.mark.parametrize(
    ("cases", "parts", "pages", "fetchers"),
    [
        (10_000, 1, 10, 10),
        (10_000, 1, 100, 1),
        (10_000, 5, 10, 10),
        (10_000, 5, 100, 5),
        (1_000, 1, 4, 3),
        (900, 1, 4, 3),
    ],
)
def test_there_are_as_many_fetchers_as_have_so_many_pages_each(cases, parts, pages, fetchers):
    assert evenly(cases, parts=parts).parts_of(pages) == fetchers


@pytest.mark.parametrize(
    ("densities", "pages"),
    [
        # Each range is as dense as it was seen to be, and at its end as the next one; the last is followed by itself.
        ([1.0, 10.0, 100.0], [55, 550, 1000]),
        ([100.0, 10.0, 1.0], [550, 55, 10]),
        # Neighbours that are alike are taken together, but what lies one further tells nothing.
        ([0.1, 1.0, 10.0, 0.12, 0.1], [5.5, 55, 50.6, 1.1, 3.2 / 3]),
        ([1.0, 1.1, 10.0, 100.0], [10.5, 55.3, 550, 1000]),
    ],
)
def test_how_much_is_left_is_guessed_from_what_was_seen_and_by_the_neighbours(densities, pages):
    ranges = [
        FetchedRange(
            number=number,
            low=1000 * number,
            high=1000 * number + 1000,
            asked=TimeRange(),
            position=1000 * number,
            density=density,
            first_density=density,
            pages=2,
        )
        for number, density in enumerate(densities)
    ]
    left = [
        FetchedRanges(
            all=[replace(other, done=other is not each) for other in ranges], end_density=densities[-1]
        ).pages_left
        for each in ranges
    ]
    assert left == pytest.approx(pages)
    assert FetchedRanges(all=ranges, end_density=densities[-1]).pages_left == pytest.approx(sum(pages))


@given(
    densities=st.lists(st.sampled_from([0.0, 0.01, 0.02, 0.024, 0.025, 0.03, 0.1, 1.0]), min_size=6, max_size=6),
    end_density=st.sampled_from([0.0, 0.02, 0.1]),
    left=st.integers(0, 12_000),
)
def test_a_range_is_a_remnant_when_less_than_most_of_a_page_is_left_by_the_estimate(densities, end_density, left):
    made = evenly(36_000, parts=3, pages=2)
    for each, density, first_density in zip(made.all, densities[::2], densities[1::2], strict=True):
        each.density, each.first_density = density, first_density
    made.end_density = end_density
    before, fetched, behind = made.all
    fetched.position = fetched.high - left
    alone = FetchedRanges(
        all=[replace(before, done=True), fetched, replace(behind, done=True)], end_density=end_density
    )
    assert made.is_remnant(fetched) == (alone.pages_left < 0.8)


@pytest.mark.parametrize(
    ("fetchers", "ends"),
    # Whole pages but for a fifth, so that they are surely enough; the first has the page that is on its way besides.
    [(1, [480, 900]), (2, [380, 660, 900]), (3, [280, 460, 640, 900])],
)
def test_what_is_cut_for_others_is_shared_by_pages(fetchers, ends):
    ranges = evenly(900)
    ranges.all[0].latest = ("case_1",)
    assert len(ranges.spread(fetchers)) == fetchers
    assert [each.high for each in ranges.all] == ends
