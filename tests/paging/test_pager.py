"""Walking pages, over pages in memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import (
    Answered,
    APIError,
    ConnectionFailedError,
    InvalidArgumentError,
    PaginationError,
    ResultCountError,
)
from persona_cases.paging import BEGINNING, NEWEST, Page, Pager, Position, WalkOptions, check_page, is_beginning
from persona_cases.paging.cursor import is_refusal
from persona_cases.paging.walk_progress import MOST_EMPTY_PAGES, MOST_REPEATED_PAGES, Progress


@attrs.frozen
class Thing:
    id: str


@attrs.define
class Shelf:
    """Things behind a cursor API that records what it was asked, with gaps and faults where a test wants them."""

    count: int
    empty_at: frozenset[int] = frozenset()
    fail_at: dict[str | None, Exception] = attrs.field(factory=dict)
    repeat_after: int | None = None
    asked: list[Position] = attrs.field(factory=list)
    started: int = 0
    cancelled: int = 0
    gate: asyncio.Event | None = None

    async def fetch(self, position: Position) -> Page[Thing]:
        self.started += 1
        self.asked.append(position)
        try:
            if self.gate is not None and len(self.asked) > 1:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if position.cursor in self.fail_at:
            raise self.fail_at.pop(position.cursor)
        start = int(position.cursor or 0)
        if start in self.empty_at and not (position.cursor or "").startswith("0"):
            return Page(items=(), next_cursor=f"0{start}")
        stop = min(self.count, start + position.size)
        items = tuple(Thing(str(number)) for number in range(start, stop))
        following = str(stop) if stop < self.count else None
        if self.repeat_after is not None and stop >= self.repeat_after:
            following = str(self.repeat_after - position.size)
        return Page(items=items, next_cursor=following)

    def pager(self, **settings: object) -> Pager[Thing]:
        return Pager(fetch=self.fetch, options=WalkOptions(**{"page_size": 10, **settings}))

    @property
    def ids(self) -> list[str]:
        return [str(number) for number in range(self.count)]


def ids(things: list[Thing]) -> list[str]:
    return [thing.id for thing in things]


async def test_items_come_in_order_each_once():
    shelf = Shelf(95)
    assert ids(await shelf.pager().collect()) == shelf.ids
    assert shelf.started == 10


async def test_pages_tell_where_to_go_on():
    pages = [page async for page in Shelf(25).pager().pages()]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [page.next_cursor for page in pages] == ["10", "20", None]


async def test_awaiting_a_pager_gives_the_first_page_and_asks_for_no_other():
    shelf = Shelf(25)
    page = await shelf.pager()
    assert ids(list(page)) == shelf.ids[:10]
    await asyncio.sleep(0)
    assert shelf.started == 1


async def test_every_walk_of_a_pager_starts_anew():
    pager = Shelf(25).pager()
    assert await pager.collect() == await pager.collect()


@given(count=st.integers(0, 40), total=st.integers(0, 50), size=st.integers(1, 12))
def test_a_limit_is_a_total_and_nothing_beyond_it_is_asked_for(count, total, size):
    shelf = Shelf(count)
    got = asyncio.run(shelf.pager(page_size=size).limit(total).collect())
    assert ids(got) == shelf.ids[:total]
    assert sum(position.size for position in shelf.asked) <= max(total, 0) + (size if total > count else 0)


async def test_limit_one_is_one_request_of_size_one():
    shelf = Shelf(25)
    assert ids(await shelf.pager().limit(1).collect()) == ["0"]
    assert [position.size for position in shelf.asked] == [1]


async def test_the_lesser_of_two_limits_counts():
    assert len(await Shelf(25).pager().limit(3).limit(20).collect()) == 3


async def test_no_item_at_all_needs_no_request():
    shelf = Shelf(25)
    assert await shelf.pager().limit(0).collect() == []
    assert (await shelf.pager().limit(0)).items == ()
    assert shelf.started == 0


async def test_first_and_one():
    assert await Shelf(25).pager().first() == Thing("0")
    assert await Shelf(0).pager().first() is None
    assert await Shelf(1).pager().one() == Thing("0")
    for count, found in ((0, "none"), (2, "more than one")):
        with pytest.raises(ResultCountError, match=found):
            await Shelf(count).pager().one()


async def test_an_empty_page_does_not_end_the_walk():
    shelf = Shelf(40, empty_at=frozenset({0, 10, 20, 30}))
    assert ids(await shelf.pager().collect()) == shelf.ids


async def test_thousands_of_empty_pages_do_not_overflow():
    async def fetch(position: Position) -> Page[Thing]:
        number = int(position.cursor or 0)
        return Page(items=(), next_cursor=str(number + 1) if number < 3000 else None)

    assert await Pager(fetch=fetch).collect() == []


async def test_a_repeated_cursor_is_an_error_after_the_items_before_it():
    got = []
    with pytest.raises(PaginationError, match="repeated") as caught:
        async for thing in Shelf(50, repeat_after=30).pager():
            got.append(thing.id)
    assert got == [str(number) for number in range(30)]
    assert caught.value.cursor == "20"


async def test_a_cursor_that_points_at_itself_is_an_error():
    async def fetch(position: Position) -> Page[Thing]:
        return Page(items=(Thing("1"),), next_cursor="start")

    with pytest.raises(PaginationError, match="repeated"):
        await Pager(fetch=fetch, options=WalkOptions(start="start")).collect()


async def test_an_error_in_a_walk_carries_the_cursor_and_resume_goes_on_from_it():
    shelf = Shelf(95, fail_at={"50": ConnectionFailedError("lost")})
    pager, got = shelf.pager(), []
    with pytest.raises(ConnectionFailedError) as caught:
        async for thing in pager:
            got.append(thing.id)
    assert caught.value.cursor == "50"
    got += ids(await pager.resume(caught.value.cursor).collect())
    assert got == shelf.ids


async def test_a_walk_that_failed_has_ended():
    walk = Shelf(95, fail_at={None: ConnectionFailedError("lost")}).pager().pages()
    with pytest.raises(ConnectionFailedError) as caught:
        await anext(walk)
    assert caught.value.cursor == BEGINNING
    with pytest.raises(StopAsyncIteration):
        await anext(walk)


async def test_programming_errors_pass_unchanged():
    with pytest.raises(ZeroDivisionError):
        await Shelf(95, fail_at={"10": ZeroDivisionError()}).pager().collect()


async def test_things_that_come_twice_are_given_once_where_the_order_can_change():
    async def fetch(position: Position) -> Page[Thing]:
        pages = {None: ("a", "b"), "1": ("b", "c"), "2": ("a", "d")}
        following = {None: "1", "1": "2", "2": None}
        return Page(items=tuple(map(Thing, pages[position.cursor])), next_cursor=following[position.cursor])

    assert ids(await Pager(fetch=fetch, options=WalkOptions(distinct=True)).collect()) == ["a", "b", "c", "d"]
    assert ids(await Pager(fetch=fetch, options=WalkOptions(distinct=True)).limit(3).collect()) == ["a", "b", "c"]
    assert ids(await Pager(fetch=fetch).collect()) == ["a", "b", "b", "c", "a", "d"]


async def test_one_page_ahead_is_fetched_while_a_page_is_consumed():
    shelf = Shelf(95)
    walk = shelf.pager().pages()
    await anext(walk)
    assert shelf.started == 1
    for _ in range(3):
        await asyncio.sleep(0)
    assert shelf.started == 2
    await walk.aclose()


async def test_items_fetch_ahead_once_a_second_one_is_asked_for():
    shelf = Shelf(95)
    walk = aiter(shelf.pager())
    await anext(walk)
    await asyncio.sleep(0)
    assert shelf.started == 1
    await anext(walk)
    await asyncio.sleep(0)
    assert shelf.started == 2
    await walk.aclose()


async def test_nothing_is_fetched_ahead_of_a_limit():
    shelf = Shelf(95)
    async for _ in shelf.pager().limit(10):
        await asyncio.sleep(0)
    assert shelf.started == 1


@pytest.mark.parametrize("by_page", [True, False])
async def test_leaving_a_loop_cancels_what_was_fetched_ahead(by_page):
    shelf = Shelf(95, gate=asyncio.Event())
    seen = 0
    async for _ in shelf.pager().pages() if by_page else shelf.pager():
        seen += 1
        await asyncio.sleep(0)
        if by_page or seen == 3:
            break
    gc.collect()
    await asyncio.sleep(0.01)
    assert (shelf.started, shelf.cancelled) == (2, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_a_walk_cancels_what_was_fetched_ahead_and_ends_it():
    shelf = Shelf(95, gate=asyncio.Event())
    walk = shelf.pager().pages()
    await anext(walk)
    await asyncio.sleep(0)
    await walk.aclose()
    assert shelf.cancelled == 1
    with pytest.raises(StopAsyncIteration):
        await anext(walk)


async def test_cancelling_the_consumer_cancels_what_it_waits_for():
    shelf = Shelf(95, gate=asyncio.Event())
    task = asyncio.create_task(shelf.pager().collect())
    while shelf.started < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert shelf.cancelled == 1


async def test_an_error_fetched_ahead_that_nobody_waits_for_is_not_reported(caplog):
    shelf = Shelf(95, fail_at={"10": ConnectionFailedError("lost")})
    async for _ in shelf.pager().pages():
        await asyncio.sleep(0.01)
        break
    gc.collect()
    await asyncio.sleep(0.01)
    assert not caplog.records


async def test_going_on_with_the_links_own_parameters():
    asked = []

    async def fetch(position: Position) -> Page[Thing]:
        asked.append(position)
        return Page(items=(), next_cursor="x" if position.cursor is None else None, following=(("shard", "7"),))

    await Pager(fetch=fetch).collect()
    assert asked[1] == Position(cursor="x", size=100, following=(("shard", "7"),))


@pytest.mark.parametrize("total", [-1, 1.5, "5", None, True])
def test_a_bad_limit_is_refused(total):
    with pytest.raises(InvalidArgumentError, match="limit"):
        Shelf(1).pager().limit(total)


def test_the_missing_cursor_of_a_last_page_is_no_place_to_resume_from():
    with pytest.raises(InvalidArgumentError, match="has_next"):
        Shelf(1).pager().resume(None)


async def test_the_cursor_of_a_walk_that_never_began_resumes_at_its_beginning():
    shelf = Shelf(95, fail_at={None: ConnectionFailedError("lost")})
    with pytest.raises(ConnectionFailedError) as caught:
        await shelf.pager().collect()
    assert isinstance(caught.value.cursor, str)
    assert ids(await shelf.pager().resume(caught.value.cursor).collect()) == shelf.ids
    with pytest.raises(InvalidArgumentError, match="nothing comes before"):
        attrs.evolve(shelf.pager(), backward=True).resume(caught.value.cursor)


async def test_a_page_is_a_sequence_that_knows_whether_there_is_another():
    pages = [page async for page in Shelf(25).pager(page_size=10).pages()]
    assert [page.has_next for page in pages] == [True, True, False]
    page = pages[0]
    assert isinstance(page, Sequence)
    assert (page[0], page[-1], page[2:4]) == (page.items[0], page.items[9], page.items[2:4])
    assert (len(page), list(page), list(reversed(page))) == (10, list(page.items), list(page.items[::-1]))
    assert page[3] in page
    assert page.index(page[3]) == 3


@pytest.mark.parametrize("cursor", ["", 5, b"x"])
def test_a_bad_cursor_is_refused(cursor):
    with pytest.raises(InvalidArgumentError, match="cursor"):
        Shelf(1).pager().resume(cursor)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0, None, None), "page_size"),
        ((101, None, None), "page_size"),
        ((True, None, None), "page_size"),
        (("10", None, None), "page_size"),
        ((10, "", None), "after"),
        ((10, None, 5), "before"),
        ((10, "a", "b"), "not both"),
    ],
)
def test_bad_steps_are_refused(arguments, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        check_page(*arguments)


def test_reprs_show_no_items():
    assert "Thing" not in repr(Page(items=(Thing("1"),), next_cursor="x"))
    assert repr(Shelf(3).pager(page_size=10)) == "<Pager: pages, 10 per page>"
    assert (
        repr(Shelf(3).pager(page_size=10).limit(7).resume("x"))
        == "<Pager: pages, 10 per page, at most 7, from a cursor>"
    )


@pytest.mark.parametrize("cycle", [1, 2, 3, 7, 20])
async def test_pages_that_come_again_under_new_cursors_end_a_walk(cycle):
    asked = 0

    async def fetch(position: Position) -> Page[Thing]:
        nonlocal asked
        asked += 1
        return Page(items=(Thing(f"a{asked % cycle}"), Thing(f"b{asked % cycle}")), next_cursor=f"never {asked}")

    with pytest.raises(PaginationError, match="same cases") as caught:
        await Pager(fetch=fetch).collect()
    assert asked < 100 * cycle
    assert caught.value.cursor == f"never {asked}"


async def test_empty_pages_without_an_end_end_a_walk():
    asked = 0

    async def fetch(position: Position) -> Page[Thing]:
        nonlocal asked
        asked += 1
        return Page(items=(), next_cursor=f"never {asked}")

    with pytest.raises(PaginationError, match="empty pages"):
        await Pager(fetch=fetch).collect()
    assert asked == MOST_EMPTY_PAGES + 1


@given(st.lists(st.integers(0, 30), max_size=300))
def test_pages_that_are_all_different_are_never_taken_for_a_cycle(gaps):
    progress = Progress()
    for number, gap in enumerate(gaps):
        for _ in range(gap):
            progress.see([])
        progress.see([f"a{number}", f"b{number}"])


def test_a_page_may_come_again_a_few_times():
    progress = Progress()
    # What is remembered is replaced after 32 pages for the last time.
    for _ in range(32 + MOST_REPEATED_PAGES):
        progress.see(["a", "b"])
    with pytest.raises(PaginationError, match="the same cases under new cursors"):
        progress.see(["a", "b"])


def test_which_cursors_stand_for_the_beginning():
    assert [is_beginning(cursor) for cursor in (BEGINNING, NEWEST, "case_1")] == [True, True, False]


def test_which_answers_may_mean_that_a_cursor_is_not_known():
    refusals = {status for status in range(400, 600) if is_refusal(APIError(status=status))}
    assert refusals == {400, 404, 410, 422}
    assert not is_refusal(ConnectionFailedError("lost"))


def test_pages_are_equal_whichever_call_brought_them():
    page = Page(items=(Thing("case_1"),), next_cursor=None)
    assert attrs.evolve(page, call=Answered("GET", "/cases", attempts=1, elapsed=0.5)) == page
    assert attrs.evolve(page, next_cursor="case_1") != page
