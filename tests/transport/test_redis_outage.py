"""Redis going away under running limiters, and coming back."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from vendor import Vendor

from persona_cases import RateLimitError
from persona_cases.limits import Feedback, WindowReading

PATIENCE = 30.0
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def make_limiter(frail_redis, make_redis_limiter):
    return lambda **settings: make_redis_limiter(frail_redis, **{"timeout": 0.3, **settings})


@pytest.fixture
def events(caplog):
    """What the limiters log, each with its level."""
    caplog.set_level(logging.INFO, "persona_cases")

    def told() -> list[tuple[str, str]]:
        ours = [record for record in caplog.records if record.name == "persona_cases"]
        return [(record.levelname, record.message.split()[0]) for record in ours]

    return told


LOST, BACK = ("WARNING", "limiter.redis_lost"), ("WARNING", "limiter.redis_back")


@asynccontextmanager
async def traffic(vendor, *limiters):
    """Requests through each limiter all the time, some at once; gives a function that waits for so many more."""

    async def send_on(limiter):
        while True:
            await vendor.send(limiter)

    senders = [asyncio.create_task(send_on(limiter)) for limiter in limiters for _ in range(8)]

    async def more(requests):
        goal = vendor.answered + requests
        async with asyncio.timeout(PATIENCE):
            while vendor.answered < goal:
                await asyncio.sleep(0.01)
                assert not any(sender.done() for sender in senders)

    try:
        yield more
    finally:
        for sender in senders:
            sender.cancel()
        await asyncio.wait(senders)


async def until_shared(*limiters):
    async with asyncio.timeout(PATIENCE):
        while not all(limiter.state.shared for limiter in limiters):
            await asyncio.sleep(0.01)


async def test_redis_that_hangs_holds_nobody_up(frail_redis, make_limiter, events):
    vendor, limiters = Vendor(20, 1.0), [make_limiter(), make_limiter()]
    async with traffic(vendor, *limiters) as more:
        await more(10)
        assert events() == []
        frail_redis.freeze()
        await more(20)
        assert not any(limiter.state.shared for limiter in limiters)
        assert events() == [LOST, LOST]
        frail_redis.thaw()
        await until_shared(*limiters)
        await more(20)
    assert vendor.refused == 0
    assert events() == [LOST, LOST, BACK, BACK]


async def test_redis_that_dies_and_comes_back_empty(frail_redis, make_limiter, events):
    vendor, limiters = Vendor(20, 1.0), [make_limiter() for _ in range(3)]
    async with traffic(vendor, *limiters) as more:
        await more(10)
        frail_redis.kill()
        await more(15)
        assert events() == [LOST] * 3
        frail_redis.start()
        await until_shared(*limiters)
        await more(20)
    # Those that are back cannot know what one that still is not has just used: that may cost a refusal, no more.
    assert vendor.refused <= 1
    assert events() == [LOST] * 3 + [BACK] * 3


async def test_redis_that_lost_its_data_between_two_requests(frail_redis, make_limiter, events):
    vendor, limiters = Vendor(20, 1.0), [make_limiter() for _ in range(2)]
    async with traffic(vendor, *limiters) as more, Redis.from_url(frail_redis.url) as client:
        for _ in range(4):
            await more(6)
            await client.flushall()
        await more(10)
    # One process may begin anew while the other still goes by what it knew: that may cost a refusal, no more.
    assert vendor.refused <= 1
    assert events() == []


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (("CONFIG", "SET", "maxclients", "1"), ("CONFIG", "SET", "maxclients", "100")),
        (("ACL", "SETUSER", "default", "-set"), ("ACL", "SETUSER", "default", "+set")),
    ],
    ids=["read-only", "out-of-memory", "too-many-clients", "no-permission"],
)
async def test_redis_that_refuses_is_as_good_as_none(frail_redis, make_limiter, events, trouble, remedy):
    vendor, limiter = Vendor(20, 1.0), make_limiter()
    async with Redis.from_url(frail_redis.url, single_connection_client=True) as client:
        await client.execute_command(*trouble)
        async with traffic(vendor, limiter) as more:
            await more(10)
            assert events() == [LOST]
            await client.execute_command(*remedy)
            await until_shared(limiter)
            await more(10)
    assert vendor.refused == 0
    assert events() == [LOST, BACK]


async def test_without_redis_from_the_start_it_takes_the_part_of_one_of_so_many(make_limiter, events, caplog):
    vendor = Vendor(20, 60.0)
    limiters = [make_limiter(client=NOBODY_LISTENS, period=60.0, processes=4) for _ in range(4)]

    async def send_all(limiter):
        with pytest.raises(RateLimitError):
            while True:
                await vendor.send(limiter, 10)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*map(send_all, limiters))
    assert vendor.refused == 0
    assert 12 <= vendor.answered <= 20
    assert events() == [LOST] * 4
    assert {record.message for record in caplog.records if record.levelname == "WARNING"} == {
        "limiter.redis_lost error=ConnectionError share=5 processes=4"
    }
    assert limiters[0].state.limit == 5
    assert not limiters[0].state.shared


async def test_the_part_is_that_of_the_processes_last_seen(frail_redis, make_limiter, caplog):
    limiters = [make_limiter(period=60.0) for _ in range(5)]
    for limiter in [*limiters, *limiters]:
        await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 19, 60), answered=True))
    frail_redis.kill()
    await limiters[0].acquire()
    assert "limiter.redis_lost error=ConnectionError share=4 processes=5" in caplog.text


async def test_with_nothing_left_and_no_redis_it_does_not_try_its_luck(frail_redis, make_limiter):
    limiter = make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 0, 60), answered=True))
    frail_redis.kill()
    with pytest.raises(RateLimitError):
        await limiter.acquire(5)


async def test_a_cool_down_outlives_redis(frail_redis, make_limiter):
    limiter, other = make_limiter(period=60.0), make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 0, 50), refused=True))
    frail_redis.kill()
    with pytest.raises(RateLimitError):
        await limiter.acquire(5)
    assert limiter.state.cooling_for > 40
    frail_redis.start()
    async with asyncio.timeout(PATIENCE):
        while not limiter.state.shared:
            with pytest.raises(RateLimitError):
                await limiter.acquire(5)
            await asyncio.sleep(0.05)
    with pytest.raises(RateLimitError):
        await other.acquire(5)
    assert limiter.state.cooling_for > 35


async def test_those_who_do_not_want_to_wait_do_not_wait_for_redis(frail_redis, make_limiter):
    limiter = make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 19, 60), answered=True))
    frail_redis.freeze()
    async with asyncio.timeout(PATIENCE):
        await limiter.settle(await limiter.acquire(0), Feedback(reading=WindowReading(20, 18, 60), answered=True))
        await limiter.settle(await limiter.acquire(0), Feedback(reading=WindowReading(20, 17, 60), answered=True))
    frail_redis.thaw()


async def test_what_was_in_flight_when_redis_went_is_settled_without_it_and_counted_when_it_is_back(
    frail_redis, make_limiter
):
    limiter, other = make_limiter(period=60.0), make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), Feedback(reading=WindowReading(20, 19, 60), answered=True))
    ended, still_in_flight = await limiter.acquire(), await limiter.acquire()
    frail_redis.kill()
    await limiter.settle(ended, Feedback(reading=WindowReading(20, 18, 60), answered=True))
    assert limiter.state.in_flight == 1
    frail_redis.start()
    async with asyncio.timeout(PATIENCE):
        while not limiter.state.shared:
            await limiter.settle(await limiter.acquire(), Feedback(answered=True))
            await asyncio.sleep(0.05)
    permit = await other.acquire(0)
    assert other.state.in_flight == 2
    assert other.state.remaining < 18
    await limiter.settle(still_in_flight, Feedback(answered=True))
    await other.settle(permit, Feedback(answered=True))
    assert other.state.in_flight == 0


async def test_it_closes_without_redis(frail_redis, make_limiter):
    limiter = make_limiter()
    await limiter.settle(await limiter.acquire(), Feedback(answered=True))
    frail_redis.kill()
    await limiter.aclose()
