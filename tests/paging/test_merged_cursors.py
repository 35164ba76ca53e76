"""Cursors of merged walks: each leads on from exactly where it was handed out."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sorted_world import GAP, Thing, World, ids, world_of, worlds

from persona_cases.errors import ConnectionFailedError, InvalidArgumentError
from persona_cases.paging import BEGINNING, Merge, Page, Pager, WalkOptions
from persona_cases.paging.cursor import Place, decode, encode

EVENS, THREES = range(0, 60, 2), range(0, 60, 3)
SIZES = st.integers(1, 8)


def pages_of(pager: Pager[Thing]) -> list[Page[Thing]]:
    async def walk() -> list[Page[Thing]]:
        return [page async for page in pager.pages()]

    return asyncio.run(walk())


def all_of(pager: Pager[Thing]) -> list[str]:
    return ids(asyncio.run(pager.collect()))


def first_page_of(pager: Pager[Thing]) -> Page[Thing]:
    async def wait() -> Page[Thing]:
        return await pager

    return asyncio.run(wait())


# ---- going on --------------------------------------------------------------------------------------------------------


@given(world=worlds(), size=SIZES, later_size=SIZES, distinct=st.booleans())
def test_a_walk_goes_on_from_every_page(world, size, later_size, distinct):
    got: list[str] = []
    for page in pages_of(world.pager(page_size=size, distinct=distinct)):
        got += ids(page)
        if page.next_cursor is not None:
            later = world.pager(page_size=later_size, distinct=distinct).resume(page.next_cursor)
            assert got + all_of(later) == world.expected()
    assert got == world.expected()


@given(world=worlds(), sizes=st.lists(SIZES, min_size=1, max_size=4), distinct=st.booleans())
def test_each_page_of_a_walk_can_be_had_in_a_process_of_its_own(world, sizes, distinct):
    got, cursor = [], BEGINNING
    for number in range(len(world.order) + 2):
        pager = world.pager(page_size=sizes[number % len(sizes)], distinct=distinct)
        page = first_page_of(pager.resume(cursor))
        got += ids(page)
        cursor = json.loads(json.dumps(page.next_cursor))
        if cursor is None:
            break
    assert cursor is None
    assert got == world.expected()


@given(world=worlds(), size=SIZES, total=st.integers(1, 26), later=st.integers(0, 26))
def test_a_walk_goes_on_behind_a_limit_and_under_another(world, size, total, later):
    pages = pages_of(world.pager(page_size=size).limit(total))
    got = [id for page in pages for id in ids(page)]
    assert got == world.expected()[:total]
    if pages[-1].next_cursor is None:
        assert got == world.expected()
    else:
        got += all_of(world.pager(page_size=size).limit(later).resume(pages[-1].next_cursor))
        assert got == world.expected()[: total + later]


@settings(max_examples=40)
@given(world=worlds(), size=SIZES, again=st.integers(1, 6), distinct=st.booleans())
def test_a_walk_goes_on_after_failures_wherever_they_are(world, size, again, distinct):
    pager = world.pager(page_size=size, distinct=distinct)
    all_of(pager)
    for number in range(1, len(world.asked) + 1):
        # The next walk fails as well, perhaps while it reads again what came before.
        world.asked.clear()
        world.fails_at = {number, number + again}
        assert asyncio.run(through_failures(pager)) == world.expected()


async def through_failures(pager: Pager[Thing]) -> list[str]:
    got: list[str] = []
    while True:
        try:
            async for thing in pager:
                got.append(thing.id)
        except ConnectionFailedError as error:
            pager = pager.resume(error.cursor)
        else:
            return got


async def test_a_failure_before_anything_new_came_has_the_cursor_that_the_walk_began_with():
    world = world_of(EVENS, THREES)
    cursor = (await world.pager()).next_cursor
    world.fails_at = {len(world.asked) + 2}
    with pytest.raises(ConnectionFailedError) as caught:
        await world.pager().resume(cursor).collect()
    assert caught.value.cursor == cursor


async def test_going_on_costs_one_request_a_search_where_values_differ():
    world, cursor = world_of(range(0, 600, 2), range(0, 600, 3), range(599, 600)), BEGINNING
    for _ in range(7):
        world.asked.clear()
        page = await world.pager(page_size=1).resume(cursor)
        assert sorted(search for search, _ in world.asked) == [0, 1, 2]
        assert max(position.size for _, position in world.asked) <= 2
        cursor = page.next_cursor


async def test_a_search_that_has_ended_is_not_asked_again():
    world = world_of(EVENS, [1, 3])
    cursor = (await world.pager()).next_cursor
    world.asked.clear()
    assert ids(await world.pager().resume(cursor).collect()) == world.expected()[10:]
    assert {search for search, _ in world.asked} == {0}


# ---- what changed meanwhile ------------------------------------------------------------------------------------------


@given(world=worlds(), size=SIZES, later_size=SIZES, stable=st.booleans(), data=st.data())
def test_nothing_that_stayed_is_lost_whatever_changed_meanwhile(world, size, later_size, stable, data):
    pages = pages_of(world.pager(page_size=size, distinct=not stable))
    stop = data.draw(st.integers(1, len(pages)))
    cursor = pages[stop - 1].next_cursor
    if cursor is None:
        return
    given_before = {id for page in pages[:stop] for id in ids(page)}
    changed = let_some_come_and_go(world, data)
    if not stable:
        changed |= let_some_move(world, data, leave=named_in(cursor, searches=len(world.found)))
    rest = all_of(world.pager(page_size=later_size, distinct=not stable).resume(cursor))
    assert given_before | set(rest) >= set(world.expected()) - changed
    assert len(rest) == len(set(rest))


def let_some_come_and_go(world: World, data: st.DataObject) -> set[str]:
    """Let some things leave searches, put new ones beside old ones in the order, and tell which."""
    changed: set[str] = set()
    for search in world.found:
        gone = set(data.draw(st.lists(st.sampled_from(sorted(search)), max_size=5))) if search else set[str]()
        search.difference_update(gone)
        changed |= gone
    for number in range(data.draw(st.integers(0, 4))):
        put(world, Thing(f"new_{number}"), data)
        world.found[data.draw(st.integers(0, len(world.found) - 1))].add(f"new_{number}")
        changed.add(f"new_{number}")
    return changed


def let_some_move(world: World, data: st.DataObject, *, leave: set[str]) -> set[str]:
    """Let the values of some things change, and tell which."""
    movable = [thing for thing in world.order if thing.id not in leave]
    moved = data.draw(st.lists(st.sampled_from(movable), max_size=4, unique=True)) if movable else []
    for thing in moved:
        world.order.remove(thing)
        put(world, thing, data)
    return set(ids(moved))


def put(world: World, thing: Thing, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(world.order)))
    beside = world.order[max(0, at - 1)].value if world.order else 0
    world.order.insert(at, Thing(thing.id, beside))


def named_in(cursor: str, *, searches: int) -> set[str]:
    places = decode(cursor, "the query", searches)
    return {id.removeprefix(GAP) for place in places for id in (place.cursor, place.last) if id}


@pytest.mark.parametrize("count", [2, 7, 10])
async def test_a_walk_from_the_newest_neither_repeats_nor_turns_back_for_what_is_new(count):
    world = world_of(EVENS, THREES, descending=True)
    whole = world.expected()
    cursor = (await world.pager(page_size=count)).next_cursor
    for number in range(25):
        world.order.insert(0, Thing(f"new_{number}", 1000 + number))
        world.found[number % 2].add(f"new_{number}")
    assert ids(await world.pager(page_size=5).resume(cursor).collect()) == whole[count:]


async def test_the_place_is_found_again_only_once_if_it_is_not_where_it_was():
    world = World([Thing(name, 1) for name in "abcdef"], [set("abcdef"), set()])
    cursor = (await world.pager(page_size=2)).next_cursor
    world.order[:0] = [Thing("new", 1)]
    world.found[0].add("new")
    for expected, requests in (("c", 2), ("d", 1), ("e", 1)):
        world.asked.clear()
        page = await world.pager(page_size=1).resume(cursor)
        assert (ids(page), len(world.asked)) == ([expected], requests)
        cursor = page.next_cursor


async def test_what_lies_before_a_case_that_moved_down_comes_from_another_search():
    world = World([Thing(name, 1) for name in "abcde"], [set("abcde"), set("cd")])
    cursor = (await world.pager(page_size=2, distinct=True)).next_cursor
    world.order = [Thing(name, 1) for name in "acdbe"]
    assert ids(await world.pager(distinct=True).resume(cursor).collect()) == ["e", "c", "d"]


@pytest.mark.parametrize("taken", range(1, 12))
async def test_a_place_within_equal_values_is_found_again_over_several_pages(taken):
    names = "abcdefghijkl"
    # Pages of two, whatever is asked for: what was taken of the group lies on several.
    world = World([Thing(name, 1) for name in names], [set(names), set()], most=2)
    page = (await world.pager().limit(taken).collect(), await world.pager(page_size=taken).limit(taken))[1]
    world.asked.clear()
    rest = await world.pager(page_size=100).resume(page.next_cursor).collect()
    assert ids(page) + ids(rest) == list(names)
    world.asked.clear()
    await world.pager(page_size=1).resume(page.next_cursor)
    # Each request asks for what is to be read again, and for the next page on top.
    again = [position.size for search, position in world.asked if search == 0][: -(-taken // 2)]
    assert again == [1 + left for left in range(taken, 0, -2)]


async def test_empty_pages_are_not_read_again():
    world = world_of([20], [1, 2], gaps=frozenset({0}))
    cursor = (await world.pager(page_size=1)).next_cursor
    world.asked.clear()
    assert ids(await world.pager().resume(cursor).collect()) == ["case_2", "case_20"]
    assert [position.cursor for search, position in world.asked if search == 0] == [GAP]


async def test_looking_ahead_before_the_first_step_of_a_resumed_walk_asks_for_nothing_twice():
    world = world_of(range(0, 60, 2), range(1, 60, 2))
    walk = world.pager(page_size=50).resume((await world.pager()).next_cursor).pages()
    world.asked.clear()
    walk.look_ahead()
    await asyncio.sleep(0.01)
    assert [id async for page in walk for id in ids(page)] == world.expected()[10:]
    assert [search for search, _ in world.asked] == [0, 1]


async def test_a_walk_goes_on_in_place_though_all_that_it_gave_is_found_no_more():
    world = world_of(EVENS, THREES)
    whole = world.expected()
    page = await world.pager()
    for search in world.found:
        search -= set(ids(page))
    assert ids(await world.pager().resume(page.next_cursor).collect()) == whole[10:]


# ---- the text --------------------------------------------------------------------------------------------------------

PLACES = st.one_of(
    st.builds(Place, cursor=st.none() | st.text(min_size=1)),
    st.builds(
        Place, cursor=st.none() | st.text(min_size=1), taken=st.integers(1, 10**6), last=st.text(min_size=1, max_size=9)
    ),
    st.just(Place(ended=True)),
)


@given(places=st.lists(PLACES, max_size=16), query=st.text())
def test_a_cursor_is_text_that_is_safe_in_a_url_and_reads_back(places, query):
    cursor = encode(places, query)
    assert quote(cursor, safe="") == cursor
    assert decode(cursor, query, len(places)) == tuple(places)


async def test_a_cursor_shows_no_value_of_the_query_or_of_a_result():
    world = World([Thing("case_1", "Jane Doe"), Thing("case_2", "Jane Doe")], [{"case_1"}, {"case_2"}])
    merge = Merge(fetches=world.fetches, key=lambda it: it.value, descending=False, fingerprint="name == 'Jane'")
    cursor = (await Pager(fetch=merge, options=WalkOptions(page_size=1))).next_cursor
    text = base64.urlsafe_b64decode(cursor.removeprefix("m1.") + "==").decode()
    assert "case_1" in text
    assert "Jane" not in text


async def test_a_cursor_of_another_query_order_or_plan_is_refused_at_once():
    world = world_of(EVENS, THREES)
    cursor = (await world.pager()).next_cursor
    fetches = world.fetches
    for changed in ({"fingerprint": "another"}, {"fetches": fetches[:1]}):
        given_ = {"fetches": fetches, "key": lambda it: it.value, "descending": False, "fingerprint": "the query"}
        with pytest.raises(InvalidArgumentError, match="another query or sort order"):
            Pager(fetch=Merge(**{**given_, **changed})).resume(cursor)


@pytest.mark.parametrize(
    ("cursor", "complaint"),
    [
        ("case_123", "merges 2 searches"),
        ("m2.abc", "another version"),
        ("m1.", "damaged"),
        ("m1.%%%", "damaged"),
        ("m1.é", "damaged"),
        ("m1.bm90IGpzb24", "damaged"),
        ("", "must be a cursor"),
        (7, "must be a cursor"),
    ],
)
def test_what_is_no_merged_cursor_is_refused_at_once(cursor, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        world_of(EVENS, THREES).pager().resume(cursor)


@pytest.mark.parametrize(
    "entry",
    [[""], [5], [None, 0, "x"], [None, -1, "x"], [None, 1], [None, 1, ""], [None, 1, "x", 1], "x"],
    ids=repr,
)
def test_a_cursor_with_an_impossible_place_is_refused(entry):
    digest, _ = json.loads(base64.urlsafe_b64decode(encode([], "q").removeprefix("m1.") + "==="))
    document = base64.urlsafe_b64encode(json.dumps([digest, [entry]]).encode()).decode().rstrip("=")
    with pytest.raises(InvalidArgumentError, match="damaged"):
        decode(f"m1.{document}", "q", 1)


@given(text=st.text())
def test_a_damaged_cursor_is_never_anything_but_an_invalid_argument(text):
    try:
        decode(f"m1.{text}", "q", 2)
    except InvalidArgumentError:
        return
    pytest.fail("it was read")


async def test_a_single_search_refuses_the_cursor_of_merged_ones():
    world = world_of(EVENS, THREES)
    cursor = (await world.pager()).next_cursor
    with pytest.raises(InvalidArgumentError, match="one search"):
        Pager(fetch=world.fetches[0]).resume(cursor)


def test_the_token_for_the_beginning_starts_there():
    world = world_of(EVENS, THREES)
    assert all_of(world.pager().resume(BEGINNING)) == world.expected()
