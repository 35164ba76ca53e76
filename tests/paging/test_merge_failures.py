"""Merged walks when a server is odd, a request fails, or the walk is left or cancelled."""

from __future__ import annotations

import asyncio
import gc

import pytest
from sorted_world import Thing, ids, world_of

from persona_cases.errors import ConnectionFailedError, NotLoadedError, PaginationError
from persona_cases.paging import BEGINNING, Merge, Page, Pager, Position, WalkOptions

EVENS, THREES, ALL = range(0, 60, 2), range(0, 60, 3), range(60)

# ---- odd servers -----------------------------------------------------------------------------------------------------


async def test_a_repeated_cursor_is_an_error_after_the_items_before_it():
    world, got = world_of(range(0, 60, 2), range(0, 60, 3), loops_at="case_38"), []
    with pytest.raises(PaginationError, match="repeated") as caught:
        async for thing in world.pager():
            got.append(thing.id)
    assert got == [id for id in world_of(EVENS, THREES).expected() if int(id.removeprefix("case_")) <= 38]
    world.loops_at = None
    assert got + ids(await world.pager().resume(caught.value.cursor).collect()) == world.expected()


async def test_thousands_of_empty_pages_do_not_overflow():
    async def hollow(position: Position) -> Page[Thing]:
        number = int(position.cursor or 0)
        return Page(items=(), next_cursor=str(number + 1) if number < 3000 else None)

    fetches = (hollow, world_of(ALL).fetches[0])
    merge = Merge(fetches=fetches, key=lambda it: it.value, descending=False, fingerprint="")
    assert len(await Pager(fetch=merge).collect()) == 60


# ---- failures --------------------------------------------------------------------------------------------------------


async def test_the_failure_of_one_search_ends_the_requests_of_the_others():
    world = world_of(EVENS, THREES, ALL, fails_at={1}, gate=asyncio.Event(), free=1)
    with pytest.raises(ConnectionFailedError) as caught:
        await world.pager().collect()
    assert (world.running, world.cancelled) == (0, 2)
    assert caught.value.cursor == BEGINNING
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failure_keeps_its_cause():
    async def failing(_position: Position) -> Page[Thing]:
        raise ConnectionFailedError("lost") from OSError("wire cut")

    merge = Merge(fetches=(failing, failing), key=lambda it: it.value, descending=False, fingerprint="")
    with pytest.raises(ConnectionFailedError) as caught:
        await Pager(fetch=merge).collect()
    assert isinstance(caught.value.__cause__, OSError)


async def test_the_failure_is_raised_and_not_that_others_were_cancelled_for_it():
    async def waiting(_position: Position) -> Page[Thing]:
        await asyncio.Event().wait()
        raise AssertionError

    async def failing(_position: Position) -> Page[Thing]:
        raise ConnectionFailedError("lost")

    merge = Merge(fetches=(waiting, failing), key=lambda it: it.value, descending=False, fingerprint="")
    with pytest.raises(ConnectionFailedError):
        await Pager(fetch=merge).collect()


async def test_of_several_failures_the_first_is_raised_and_none_is_reported_later(caplog):
    world = world_of(EVENS, THREES, ALL, fails_at={1, 2, 3})
    with pytest.raises(ConnectionFailedError):
        await world.pager().collect()
    gc.collect()
    await asyncio.sleep(0)
    assert not caplog.records


async def test_a_walk_that_failed_hands_out_what_it_has_and_ends():
    world = world_of(range(40), range(100, 140), fails_at={4})
    walk = world.pager(page_size=10).limit(35).pages()
    assert [len(await anext(walk)) for _ in range(2)] == [10, 10]
    with pytest.raises(ConnectionFailedError):
        await anext(walk)
    with pytest.raises(StopAsyncIteration):
        await anext(walk)
    assert world.running == 0


async def test_a_part_of_a_page_is_handed_out_before_its_error_and_leads_to_the_same_place():
    world = world_of(range(10), range(5, 40), fails_at={3})
    walk = world.pager(page_size=10).pages()
    world.most = 6
    page = await anext(walk)
    assert ids(page) == world.expected()[:6]
    with pytest.raises(ConnectionFailedError) as caught:
        await anext(walk)
    assert caught.value.cursor == page.next_cursor


async def test_programming_errors_pass_unchanged():
    async def wrong(_position: Position) -> Page[Thing]:
        raise ZeroDivisionError

    merge = Merge(fetches=(wrong, wrong), key=lambda it: it.value, descending=False, fingerprint="")
    with pytest.raises(ZeroDivisionError):
        await Pager(fetch=merge).collect()


async def test_a_value_that_was_not_loaded_is_an_error_and_loses_nothing():
    def unloaded(thing: Thing) -> int:
        if thing.value == 15:
            raise NotLoadedError("created_at was not asked for")
        return thing.value

    world, got = world_of(range(20), [2]), []
    merge = Merge(fetches=world.fetches, key=unloaded, descending=False, fingerprint="the query")
    with pytest.raises(NotLoadedError) as caught:
        async for thing in Pager(fetch=merge, options=WalkOptions(page_size=10)):
            got.append(thing.id)
    assert got + ids(await world.pager().resume(caught.value.cursor).collect()) == world.expected()


# ---- leaving and cancelling ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_page", [True, False])
async def test_leaving_a_loop_cancels_what_was_fetched_ahead(by_page):
    world = world_of(EVENS, THREES, gate=asyncio.Event(), free=2)
    seen = 0
    async for _ in world.pager().pages() if by_page else world.pager():
        seen += 1
        await asyncio.sleep(0)
        if by_page or seen == 3:
            break
    gc.collect()
    await asyncio.sleep(0.01)
    assert (len(world.asked), world.running) == (4, 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_a_walk_cancels_what_was_fetched_ahead_and_ends_it():
    world = world_of(EVENS, THREES, gate=asyncio.Event(), free=2)
    walk = world.pager().pages()
    await anext(walk)
    for _ in range(9):
        await asyncio.sleep(0)
    assert world.running == 2
    await walk.aclose()
    assert world.running == 0
    with pytest.raises(StopAsyncIteration):
        await anext(walk)


async def test_closing_a_walk_that_failed_ends_it_without_the_error():
    world = world_of(range(10), range(5, 40), fails_at={3}, most=6)
    walk = world.pager().pages()
    await anext(walk)
    await walk.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(walk)


@pytest.mark.parametrize("free", range(8))
async def test_cancelling_the_consumer_cancels_all_requests(free):
    world = world_of(range(0, 200, 2), range(0, 200, 3), gate=asyncio.Event(), free=free)
    task = asyncio.create_task(world.pager().collect())
    while len(world.asked) <= free:
        await asyncio.sleep(0)
    for _ in range(9):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelling_a_step_cancels_what_was_fetched_ahead_too():
    world = world_of(range(10), range(30), range(20, 60), gate=asyncio.Event(), free=3)
    walk = world.pager(page_size=10).pages()
    await anext(walk)
    step = asyncio.ensure_future(anext(walk))
    while world.running < 2:
        await asyncio.sleep(0)
    step.cancel()
    await asyncio.wait([step])
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.running == 0
    world.gate.set()
    assert [id async for page in walk for id in ids(page)] == world.expected()[10:]


async def test_a_request_that_fails_as_it_is_cancelled_is_not_reported(caplog):
    async def stubborn(_position: Position) -> Page[Thing]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise ConnectionFailedError("lost") from None
        return Page(items=(), next_cursor=None)

    merge = Merge(fetches=(stubborn, stubborn), key=lambda it: it.value, descending=False, fingerprint="")
    task = asyncio.ensure_future(Pager(fetch=merge).collect())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert not caplog.records


@pytest.mark.parametrize("free", range(8))
async def test_a_step_that_was_cancelled_can_be_taken_again(free):
    world = world_of(range(0, 100, 2), range(0, 100, 3), gate=asyncio.Event(), free=free)
    walk, got = aiter(world.pager()), []
    while True:
        step = asyncio.ensure_future(anext(walk))
        for _ in range(20):
            await asyncio.sleep(0)
        if not step.done():
            step.cancel()
            await asyncio.wait([step])
            break
        got.append(step.result().id)
    world.gate.set()
    got += [thing.id async for thing in walk]
    assert got == world.expected()
