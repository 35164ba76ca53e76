"""Calls that are cancelled, wherever they wait."""

from __future__ import annotations

import asyncio

import pytest

from faults.leaks import in_flight, until, works
from faults.points import POINTS, path_of
from faults.scenes import simulated
from persona_cases import NotFoundError, RequestTimeoutError
from persona_cases.testing import Fault

SEVERAL = 8


async def arrive(stuck, task):
    """Wait until a call has come to its point, and let it sink in."""
    await until(lambda: task.done() or stuck.there(path_of(task)))
    await asyncio.sleep(0)
    assert not task.done()


async def cancelled(stuck):
    task = asyncio.create_task(stuck.call())
    await arrive(stuck, task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def timed_out(stuck):
    now = asyncio.get_running_loop().time

    async def bounded():
        async with asyncio.timeout(None) as timeout:
            timeouts.append(timeout)
            await stuck.call()

    timeouts = []
    task = asyncio.create_task(bounded())
    await arrive(stuck, task)
    timeouts[0].reschedule(now())
    with pytest.raises(TimeoutError) as caught:
        await task
    assert type(caught.value) is TimeoutError
    assert not isinstance(caught.value, RequestTimeoutError)


async def failed_beside(stuck):
    """A call in a group, of which another task fails."""

    async def fail():
        await arrive(stuck, task)
        raise LookupError

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(stuck.call())
            group.create_task(fail())
    assert [type(error) for error in caught.value.exceptions] == [LookupError]
    assert task.cancelled()


@pytest.mark.parametrize("end", [cancelled, timed_out, failed_beside], ids=lambda end: end.__name__)
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
async def test_a_call_can_be_ended_wherever_it_waits(point, end):
    async with point() as stuck:
        if stuck.meanwhile is not None:
            await stuck.meanwhile()
        await end(stuck)
        stuck.release()
        await until(lambda: in_flight(stuck.client) == 0)
        await works(stuck.client)


@pytest.mark.parametrize("steps", range(0, 40, 2))
async def test_a_call_can_be_cancelled_at_every_step(steps):
    async with simulated(Fault.drip(chunk=400, pause=0))() as scene:
        for _ in range(SEVERAL):
            task = asyncio.create_task(scene.client.cases.list().collect())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or len(task.result()) == 3
        await scene.heal()
        await works(scene.client)


async def test_an_error_of_one_call_ends_those_beside_it():
    async with simulated(Fault.delay(0))() as scene:
        await scene.heal()
        client = scene.client
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                calls = [group.create_task(client.cases.get(scene.case_id)) for _ in range(SEVERAL)]
                calls.insert(0, group.create_task(client.cases.get("case_nope")))
        assert caught.group_contains(NotFoundError)
        assert len(caught.value.exceptions) == 1
        assert all(call.done() for call in calls)
        del caught, calls
        await works(client)


async def test_a_walk_that_takes_too_long_ends_with_pythons_own_timeout():
    async with simulated(Fault.delay(30))() as scene:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                async for _ in scene.client.cases.list():
                    pass
        assert type(caught.value) is TimeoutError
        del caught
        await scene.heal()
        await works(scene.client)
