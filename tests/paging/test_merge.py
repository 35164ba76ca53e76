"""Several searches walked as one, over searches in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sorted_world import Thing, World, ids, world_of, worlds

from persona_cases.errors import InvalidArgumentError, ResultCountError
from persona_cases.paging import Merge, Page, Pager, WalkOptions

EVENS, THREES, ALL = range(0, 60, 2), range(0, 60, 3), range(60)

# ---- order -----------------------------------------------------------------------------------------------------------


@given(world=worlds(), size=st.integers(1, 8), distinct=st.booleans())
def test_a_merged_walk_is_the_union_in_the_documented_order(world, size, distinct):
    assert ids(asyncio.run(world.pager(page_size=size, distinct=distinct).collect())) == world.expected()


@given(world=worlds(), size=st.integers(1, 8))
def test_merged_pages_are_whole_but_for_the_last(world, size):
    async def lengths():
        return [len(page) async for page in world.pager(page_size=size).pages()]

    *whole, last = asyncio.run(lengths())
    assert set(whole) <= {size}
    assert last <= size
    assert sum(whole) + last == len(world.expected())


def test_missing_values_come_last_in_either_direction():
    for descending, order in ((False, ["a", "b", "none"]), (True, ["b", "a", "none"])):
        things = {"a": Thing("a", 1), "b": Thing("b", 2), "none": Thing("none", None)}
        world = World([things[name] for name in order], [{"none", "b"}, {"a"}], descending=descending)
        assert ids(asyncio.run(world.pager().collect())) == order


def test_equal_values_come_search_by_search_as_the_server_gave_them():
    world = World([Thing(name, "same") for name in "dacb"], [{"b", "c"}, {"a", "b", "d"}])
    assert ids(asyncio.run(world.pager().collect())) == ["c", "b", "d", "a"]


def test_what_can_not_be_sorted_by_counts_as_missing():
    things = [Thing("a", 1), Thing("b", ["x"]), Thing("c", None)]
    world = World(things, [{"b"}, {"a", "c"}])
    assert ids(asyncio.run(world.pager().collect())) == ["a", "b", "c"]


@given(world=worlds(), size=st.integers(1, 5), data=st.data())
def test_nothing_is_lost_or_repeated_if_the_server_orders_otherwise(world, size, data):
    world.order = data.draw(st.permutations(world.order))
    got = ids(asyncio.run(world.pager(page_size=size, distinct=True).collect()))
    assert sorted(got) == sorted(world.expected())
    for search in world.found:
        if all(search.isdisjoint(other) for other in world.found if other is not search):
            assert [id for id in got if id in search] == [thing.id for thing in world.order if thing.id in search]


async def test_no_search_at_all_gives_nothing():
    merge = Merge[Thing](fetches=(), key=lambda it: it.value, descending=False, fingerprint="")
    assert await Pager(fetch=merge).collect() == []


# ---- the surface of a pager ------------------------------------------------------------------------------------------


async def test_awaiting_a_merged_pager_gives_the_first_page_for_one_request_a_search():
    world = world_of(EVENS, THREES)
    page = await world.pager()
    assert ids(page) == world.expected()[:10]
    assert page.request_id is None
    assert sorted(search for search, _ in world.asked) == [0, 1]


async def test_the_last_page_has_no_cursor_even_if_only_repetitions_were_left():
    world = world_of(range(10), range(10), range(10))
    assert (await world.pager()).next_cursor is None
    assert len(world.asked) == 3


async def test_first_and_one_ask_each_search_for_a_small_page():
    assert (await world_of(THREES, EVENS).pager().first()) == Thing("case_0", 0)
    assert await world_of([], []).pager().first() is None
    world = world_of([3], [3])
    assert (await world.pager().one()).id == "case_3"
    assert [position.size for _, position in world.asked] == [2, 2]
    with pytest.raises(ResultCountError, match="more than one"):
        await world_of([3], [4]).pager().one()


async def test_every_walk_starts_anew():
    pager = world_of(EVENS, THREES).pager()
    assert await pager.collect() == await pager.collect()


async def test_no_item_at_all_needs_no_request():
    world = world_of(EVENS, THREES)
    assert await world.pager().limit(0).collect() == []
    assert not world.asked


def test_a_merge_does_not_go_backwards():
    with pytest.raises(InvalidArgumentError, match="backward"):
        attrs.evolve(world_of(EVENS).pager(), backward=True)


def test_a_merge_shows_neither_the_query_nor_where_it_comes_from():
    assert repr(world_of(EVENS).merge()) == "Merge(descending=False)"


# ---- requests --------------------------------------------------------------------------------------------------------


@given(world=worlds(), size=st.integers(1, 6), total=st.integers(1, 30))
def test_a_limit_asks_a_search_for_more_only_when_all_it_gave_is_used_up(world, size, total):
    world.gaps = frozenset()
    got = ids(asyncio.run(world.pager(page_size=size).limit(total).collect()))
    assert got == world.expected()[:total]
    assert all(position.size <= min(size, total) for _, position in world.asked)
    for search in range(len(world.found)):
        pages = [given for number, given in world.answered if number == search]
        used_before_the_last = {id for page in pages[:-1] for id in page}
        # What was asked for last was needed to tell the last item, or that there is none.
        assert used_before_the_last <= set(got if len(got) < total else got[:-1])


@given(world=worlds(), size=st.integers(1, 6), total=st.integers(1, 6))
def test_a_limit_within_a_page_takes_one_request_a_search(world, size, total):
    world.gaps, world.most = frozenset(), 100
    asyncio.run(world.pager(page_size=size).limit(min(size, total)).collect())
    assert [search for search, _ in world.asked] == [*range(len(world.found))]


async def test_requests_get_smaller_as_a_limit_comes_near():
    world = world_of(range(50), [60])
    assert len(await world.pager(page_size=10).limit(15).collect()) == 15
    assert [position.size for _, position in world.asked] == [10, 10, 5]


async def test_what_a_page_has_already_counts_against_the_limit():
    world = world_of(range(50), [60], most=6)
    assert len(await world.pager(page_size=10).limit(10).collect()) == 10
    assert [position.size for _, position in world.asked] == [10, 10, 4]


async def test_all_first_pages_are_asked_for_at_once():
    world = world_of(EVENS, THREES, ALL, gate=asyncio.Event())
    task = asyncio.ensure_future(world.pager())
    while world.running < 3:
        await asyncio.sleep(0)
    world.gate.set()
    assert ids(await task) == world.expected()[:10]


async def test_each_search_is_one_page_ahead_at_most_while_a_page_is_consumed():
    world = world_of(ALL, range(0, 60, 2))
    walk = world.pager(page_size=5).pages()
    await anext(walk)
    assert len(world.asked) == 2
    for _ in range(20):
        await asyncio.sleep(0)
    assert [search for search, _ in world.asked] == [0, 1, 0, 1]
    await walk.aclose()


async def test_items_fetch_ahead_once_a_second_one_is_asked_for():
    world = world_of(EVENS, THREES)
    walk = aiter(world.pager())
    await anext(walk)
    await asyncio.sleep(0)
    assert len(world.asked) == 2
    await anext(walk)
    await asyncio.sleep(0)
    assert len(world.asked) == 4
    await walk.aclose()


async def test_under_a_limit_only_what_is_certainly_needed_is_fetched_ahead():
    world = world_of(range(10, 60), range(5))
    walk = world.pager(page_size=5).limit(11).pages()
    await anext(walk)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(world.asked) == 2
    await anext(walk)
    for _ in range(10):
        await asyncio.sleep(0)
    assert [(search, position.size) for search, position in world.asked] == [(0, 5), (1, 5), (0, 1)]
    await walk.aclose()


async def test_one_merged_search_asks_what_the_plain_search_asks():
    merged, plain = world_of(ALL), world_of(ALL)
    settings = {"page_size": 7}
    fetch = plain.fetches[0]
    assert (
        await merged.pager(**settings).collect() == await Pager(fetch=fetch, options=WalkOptions(**settings)).collect()
    )
    assert merged.asked == plain.asked


@pytest.mark.parametrize(("distinct", "expected"), [(False, ["a", "b", "a"]), (True, ["a", "b"])])
async def test_ids_of_one_value_alone_are_remembered_in_a_stable_order(distinct, expected):
    pages = {
        None: Page(items=(Thing("a", 1), Thing("b", 2)), next_cursor="b"),
        "b": Page(items=(Thing("a", 3),), next_cursor=None),
    }

    async def fetch(position):
        return pages[position.cursor]

    merge = Merge(fetches=(fetch,), key=lambda it: it.value, descending=False, fingerprint="")
    assert ids(await Pager(fetch=merge, options=WalkOptions(distinct=distinct)).collect()) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_only_two_times_are_sure_to_be_ordered_as_they_are_here(descending):
    merge = Merge(fetches=(), key=lambda value: value, descending=descending, fingerprint="")
    early, late = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)
    values = (None, True, 1, "a", early, late)
    wrong = {
        (one, other) for one in values for other in values if not merge.in_order(merge.rank(one), merge.rank(other))
    }
    assert wrong == {(early, late) if descending else (late, early)}
