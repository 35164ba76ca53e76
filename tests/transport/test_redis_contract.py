"""What every limiter promises, asked of the one for a single process and of the shared one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from vendor import Vendor

from persona_cases import InvalidArgumentError, RateLimitError
from persona_cases.limits import Feedback, Limiter, LocalLimiter, WindowReading

PATIENCE = 20.0
USED_UP = Feedback(reading=WindowReading(20, 0, 60), answered=True)
MakeLimiter = Callable[..., Limiter]


@pytest.fixture(params=["local", "redis"])
def make_limiter(request: pytest.FixtureRequest) -> MakeLimiter:
    if request.param == "local":
        return LocalLimiter
    make, server = request.getfixturevalue("make_redis_limiter"), request.getfixturevalue("redis")

    def make_shared(limit: int = 300, period: float = 60.0, **settings: Any) -> Limiter:
        limiter: Limiter = make(server, limit=limit, period=period, **settings)
        return limiter

    return make_shared


async def use_up(limiter: Limiter) -> None:
    await limiter.settle(await limiter.acquire(), USED_UP)


async def test_nobody_is_refused_and_every_window_is_used(make_limiter):
    vendor, limiter = Vendor(20, 1.0), make_limiter(20, 1.0)
    await vendor.send_many(limiter, 41)
    assert vendor.refused == 0
    # On a machine that stalls a window may be left unfinished, but not all of them.
    assert max(vendor.windows) == 20
    assert len(vendor.windows) <= 4


async def test_the_limit_is_what_the_server_says(make_limiter):
    vendor, limiter = Vendor(5, 1.0), make_limiter(300, 1.0)
    await vendor.send_many(limiter, 11)
    assert vendor.refused == 0
    assert limiter.state.limit == 5


async def test_a_single_request_goes_ahead_to_learn_the_numbers(make_limiter):
    limiter = make_limiter(20, 60.0)
    first = await limiter.acquire()
    second = asyncio.create_task(limiter.acquire())
    assert not (await asyncio.wait({second}, timeout=0.2))[0]
    await limiter.settle(first, Feedback(reading=WindowReading(20, 19, 60), answered=True))
    async with asyncio.timeout(PATIENCE):
        await limiter.settle(await second, Feedback(answered=True))


async def test_a_wait_that_is_known_to_be_too_long_is_refused_at_once(make_limiter):
    limiter = make_limiter(20, 60.0)
    await use_up(limiter)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(RateLimitError, match="max_wait") as caught:
            await limiter.acquire(30)
    assert caught.value.status is None
    assert 30 < caught.value.retry_after < 62


async def test_those_in_line_wait_no_longer_than_they_said(make_limiter):
    limiter = make_limiter(20, 60.0)
    await use_up(limiter)
    head = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0.1)
    assert limiter.state.waiting == 1
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(RateLimitError):
            await limiter.acquire(0.05)
    assert not head.done()
    head.cancel()
    await asyncio.wait({head})
    assert limiter.state.waiting == 0


async def test_without_a_wait_it_does_not_ask_for_one(make_limiter):
    limiter = make_limiter(20, 60.0)
    await limiter.settle(await limiter.acquire(0), Feedback(reading=WindowReading(20, 19, 60), answered=True))
    await limiter.settle(await limiter.acquire(0), Feedback(answered=True))


async def test_a_refusal_holds_for_all_and_no_success_lifts_it(make_limiter):
    limiter = make_limiter(20, 60.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 19, 60), answered=True))
    refused, answered = await limiter.acquire(), await limiter.acquire()
    await limiter.settle(refused, Feedback(reading=WindowReading(20, 0, 60), refused=True))
    await limiter.settle(answered, Feedback(reading=WindowReading(20, 18, 60), answered=True))
    assert limiter.state.cooling_for > 30
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(RateLimitError):
            await limiter.acquire(1)


async def test_waiters_are_served_in_the_order_in_which_they_came(make_limiter):
    limiter, served = make_limiter(20, 1.0), []
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 0, 1), answered=True))

    async def wait(number: int) -> None:
        permit = await limiter.acquire()
        served.append(number)
        await limiter.settle(permit, Feedback(reading=WindowReading(20, 15, 1), answered=True))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*map(wait, range(10)))
    assert served == list(range(10))


async def test_a_waiter_that_gives_up_holds_up_nobody(make_limiter):
    limiter = make_limiter(20, 1.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 0, 1), answered=True))
    waiters = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
    await asyncio.sleep(0.05)
    for each in (waiters[0], waiters[2], waiters[4]):
        each.cancel()
    done, _ = await asyncio.wait(waiters, timeout=PATIENCE)
    assert len(done) == 5
    for permit in (waiters[1].result(), waiters[3].result()):
        assert limiter.state.in_flight > 0
        await limiter.settle(permit, Feedback(answered=True))
    assert limiter.state.in_flight == 0
    assert limiter.state.waiting == 0


async def test_a_request_that_is_cancelled_gives_its_permit_back(make_limiter):
    limiter = make_limiter(20, 60.0)
    vendor = Vendor(20, 60.0, latency=60)
    request = asyncio.create_task(vendor.send(limiter))
    while not limiter.state.in_flight:
        await asyncio.sleep(0.01)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert limiter.state.in_flight == 0


async def test_it_tells_what_it_knows(make_limiter):
    limiter = make_limiter(20, 60.0)
    assert (limiter.state.limit, limiter.state.remaining, limiter.state.resets_in) == (20, 20, None)
    permit = await limiter.acquire()
    await limiter.settle(permit, Feedback(reading=WindowReading(30, 12, 60), answered=True))
    state = limiter.state
    assert (state.limit, state.remaining, state.in_flight, state.waiting) == (30, 12, 0, 0)
    assert 50 < state.resets_in < 62
    assert state.cooling_for == 0


@pytest.mark.parametrize("settings", [{"limit": 0}, {"limit": 1.5}, {"period": 0}, {"period": float("nan")}])
def test_numbers_that_can_not_be_are_refused(make_limiter, settings):
    with pytest.raises(InvalidArgumentError, match=next(iter(settings))):
        make_limiter(**settings)
