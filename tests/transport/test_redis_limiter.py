"""The shared limiter on a real Redis: what it shares, with whom, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import timedelta
from random import Random

import pytest
from redis.asyncio import Redis
from vendor import Vendor

from persona_cases import ClientStateError, InvalidArgumentError, RateLimitError
from persona_cases.limits import Feedback, RedisLimiter, WindowReading
from persona_cases.testing import Simulator
from persona_cases.transport.limits.limiter import Permit

PATIENCE = 20.0
PLENTY = Feedback(reading=WindowReading(20, 19, 60), answered=True)
NOTHING_LEFT = Feedback(reading=WindowReading(20, 0, 60), answered=True)


@pytest.fixture
def make_limiter(redis, make_redis_limiter):
    return lambda **settings: make_redis_limiter(redis, **settings)


@pytest.fixture
async def store(redis, environment):
    """A client of our own, and the key of this test's environment."""
    async with Redis.from_url(redis.url) as client:
        yield Store(client, environment)


class Store:
    def __init__(self, client: Redis, environment: str) -> None:
        self.client = client
        self._environment = environment

    async def key(self) -> bytes:
        (key,) = [key async for key in self.client.scan_iter(f"*{self._environment}*")]
        return key

    async def value(self) -> dict:
        return json.loads(await self.client.get(await self.key()))

    async def in_flight(self) -> int:
        return sum(member["flight"] for member in (await self.value())["members"].values())


# ---- sharing ---------------------------------------------------------------------------------------------------------


async def test_two_limiters_share_one_window(make_limiter):
    vendor = Vendor(20, 1.0)
    one, other = make_limiter(), make_limiter()
    await asyncio.gather(vendor.send_many(one, 30), vendor.send_many(other, 30))
    assert vendor.refused == 0
    assert len(vendor.windows) <= 5


async def test_none_of_several_is_left_behind(make_limiter):
    vendor, limiters, counts = Vendor(20, 1.0), [make_limiter() for _ in range(3)], [0, 0, 0]

    async def send(number):
        await vendor.send(limiters[number])
        counts[number] += 1

    requests = [asyncio.create_task(send(number)) for number in range(3) for _ in range(20)]
    while sum(counts) < 30:
        await asyncio.sleep(0.01)
    assert min(counts) >= 3
    await asyncio.gather(*requests)
    assert vendor.refused == 0


async def test_a_refusal_of_one_holds_for_all(make_limiter):
    one, other = make_limiter(period=60.0), make_limiter(period=60.0)
    await one.settle(await one.acquire(), PLENTY)
    refused, answered = await one.acquire(), await other.acquire()
    await one.settle(refused, Feedback(reading=WindowReading(20, 0, 40), refused=True))
    await other.settle(answered, PLENTY)
    with pytest.raises(RateLimitError) as caught:
        await other.acquire(5)
    assert 35 < caught.value.retry_after <= 41
    assert other.state.cooling_for > 35


async def test_it_waits_for_the_answer_that_another_gets(make_limiter):
    one, other = make_limiter(period=60.0), make_limiter(period=60.0)
    scout = await one.acquire()
    waiting = asyncio.create_task(other.acquire())
    assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
    await one.settle(scout, PLENTY)
    async with asyncio.timeout(PATIENCE):
        await other.settle(await waiting, PLENTY)


@pytest.mark.parametrize("settings", [{"environment": "env_another"}, {"namespace": "another"}])
async def test_another_environment_or_namespace_is_another_limit(make_limiter, settings):
    one, other = make_limiter(period=60.0), make_limiter(period=60.0, **settings)
    await one.settle(await one.acquire(), NOTHING_LEFT)
    async with asyncio.timeout(PATIENCE):
        await other.settle(await other.acquire(), PLENTY)
    with pytest.raises(RateLimitError):
        await one.acquire(1)


async def test_some_of_each_window_can_be_left_to_others(make_limiter):
    vendor = Vendor(20, 60.0)
    one, other = make_limiter(period=60.0, reserve=8), make_limiter(period=60.0, reserve=8)
    await asyncio.gather(vendor.send_many(one, 6), vendor.send_many(other, 6))
    assert one.state.reserve == 8
    for limiter in (one, other):
        with pytest.raises(RateLimitError):
            await limiter.acquire(1)


async def test_the_clocks_of_the_processes_do_not_matter(make_limiter):
    vendor, hour = Vendor(20, 1.0), 3600.0
    clocks = [
        time.monotonic,
        lambda: time.monotonic() - hour,
        time.time,
        lambda: time.monotonic() * 1.2 + 1e7,
    ]
    limiters = [make_limiter(clock=clock) for clock in clocks]
    await asyncio.gather(*(vendor.send_many(limiter, 15) for limiter in limiters))
    assert vendor.refused == 0
    assert len(vendor.windows) <= 5


# ---- what is in Redis ------------------------------------------------------------------------------------------------


def strings(plain):
    """All values that are neither numbers nor true, false or null."""
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, list | dict):
        for each in plain.values() if isinstance(plain, dict) else plain:
            yield from strings(each)


async def test_redis_holds_counts_and_times_and_nothing_else(make_limiter, store, make_client):
    async with Simulator(cases=30) as simulator:
        client = make_client(simulator, limiter=make_limiter())
        cases = await client.cases.search(page_size=10).collect()
        text = (await store.client.get(await store.key())).decode()
        assert simulator.api_key not in text + (await store.key()).decode()
        assert not [case.id for case in cases if case.id in text]
    value = json.loads(text)
    assert not list(strings(value))
    (member,) = value["members"].values()
    assert member["flight"] == 0


async def test_the_value_vanishes_when_nobody_uses_it(make_limiter, store):
    limiter = make_limiter(period=1.0)
    await limiter.settle(await limiter.acquire(), Feedback(answered=True))
    assert 1_000 < await store.client.pttl(await store.key()) <= 6_000


async def test_who_leaves_is_counted_no_longer(make_limiter, store):
    one, other = make_limiter(period=60.0), make_limiter(period=60.0)
    for limiter in (one, other):
        await limiter.settle(await limiter.acquire(), PLENTY)
    assert len((await store.value())["members"]) == 2
    await one.aclose()
    assert len((await store.value())["members"]) == 1


@pytest.mark.parametrize(
    "key", ["persona_sandbox_51a7c0de", "PERSONA_PRODUCTION_51a7c0de", "my-persona_sandbox_51a7c0de"]
)
@pytest.mark.parametrize("argument", ["environment", "namespace"])
def test_an_api_key_is_no_name(make_limiter, argument, key):
    with pytest.raises(InvalidArgumentError, match=argument) as caught:
        make_limiter(**{argument: key})
    assert "51a7c0de" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "two words", "line\nbreak", "é", None, 7, "x" * 201])
def test_names_that_make_no_good_key_are_refused(make_limiter, name):
    with pytest.raises(InvalidArgumentError, match="environment"):
        make_limiter(environment=name)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("limit", 0),
        ("period", -1),
        ("reserve", -1),
        ("reserve", 20),
        ("lease", 0),
        ("processes", 0),
        ("timeout", 0),
        ("client", "http://localhost"),
        ("client", None),
    ],
)
def test_settings_that_can_not_work_are_refused(make_limiter, argument, value):
    with pytest.raises(InvalidArgumentError, match="redis" if argument == "client" else argument):
        make_limiter(**{argument: value})


def test_its_repr_does_not_show_the_password():
    limiter = RedisLimiter("redis://:hunter2@localhost:1/0", environment="env_1")
    assert repr(limiter) == "RedisLimiter(environment='env_1', limit=300, period=60)"


# ---- values that are none of ours ------------------------------------------------------------------------------------

FOREVER = 1e18


def changed(value: bytes, path: tuple[str, ...], content: object) -> str:
    """A value that a process wrote, with one thing in it changed."""
    plain = json.loads(value)
    *way, last = path
    place = plain
    for step in way:
        place = next(iter(place.values())) if step == "*" else place[step]
    assert last in place
    place[last] = content
    return json.dumps(plain)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"x":' + b"[" * 100_000,
        b'{"members":{"\xff":{"seen":1,"flight":0}}}',
        (("limit",), "20"),
        (("limit",), -1),
        (("limit",), 0),
        (("limit",), 10**30),
        (("limit",), None),
        (("unseen",), []),
        (("unseen",), float("nan")),
        (("left",), None),
        (("ends_by",), FOREVER),
        (("ends_by",), "soon"),
        (("told",), False),
        (("cool_until",), 9e12),
        (("cool_until",), FOREVER),
        (("members",), None),
        (("members",), [1]),
        (("members", "*", "seen"), 9e12),
        (("members", "*", "heard"), 9e12),
        (("members", "*", "flight"), -3),
        (("members", "*", "flight"), {"1": 0.0}),
        (("clock",), FOREVER),
        (("ahead",), FOREVER),
    ],
    ids=repr,
)
async def test_a_value_that_is_garbage_counts_as_none(make_limiter, store, caplog, value):
    before, limiter = make_limiter(period=60.0), make_limiter(period=60.0)
    permit = await before.acquire()
    await before.settle(permit, Feedback(reading=WindowReading(20, 0, 60), answered=True, refused=True))
    await store.client.set(
        await store.key(),
        value if isinstance(value, bytes) else changed(await store.client.get(await store.key()), *value),
    )
    async with asyncio.timeout(PATIENCE):
        await limiter.settle(await limiter.acquire(5), PLENTY)
    assert [record.levelname for record in caplog.records if "limiter." in record.message] == ["WARNING"]
    assert "limiter.value_unreadable" in caplog.text
    assert limiter.state.remaining == 19


async def test_a_value_of_a_process_is_not_taken_for_garbage(make_limiter, store, caplog):
    limiter = make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), PLENTY)
    await store.client.set(await store.key(), changed(await store.client.get(await store.key()), ("limit",), 13))
    permit = await limiter.acquire()
    assert limiter.state.limit == 13
    assert "limiter." not in caplog.text
    await limiter.settle(permit, PLENTY)


async def test_a_value_of_another_type_counts_as_none(make_limiter, store):
    limiter = make_limiter(period=60.0)
    await limiter.settle(await limiter.acquire(), PLENTY)
    key = await store.key()
    await store.client.delete(key)
    await store.client.hset(key, "field", "value")
    await limiter.settle(await limiter.acquire(5), PLENTY)
    assert limiter.state.remaining == 19


async def test_a_server_whose_value_is_lost_is_asked_by_a_single_request(make_limiter, store):
    one, other = make_limiter(period=60.0), make_limiter(period=60.0)
    for limiter in (one, other):
        await limiter.settle(await limiter.acquire(), PLENTY)
    await store.client.delete(await store.key())
    await one.acquire()
    waiting = asyncio.create_task(other.acquire())
    assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
    waiting.cancel()
    await asyncio.wait({waiting})


# ---- clients and event loops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"decode_responses": True}, {"protocol": 2}, {"protocol": 3}])
async def test_a_client_of_the_callers_is_used_and_left_open(redis, environment, settings):
    async with Redis.from_url(redis.url, **settings) as client:
        async with RedisLimiter(client, environment=environment) as limiter:
            for _ in range(3):
                await limiter.settle(await limiter.acquire(), PLENTY)
        assert await client.ping()


def test_with_a_url_it_works_in_one_event_loop_after_another(redis, environment):
    limiter = RedisLimiter(redis.url, environment=environment, limit=20, period=60.0)

    async def send() -> int:
        async with limiter:
            await limiter.settle(await limiter.acquire(), Feedback(answered=True))
            return limiter.state.remaining

    assert [asyncio.run(send()) for _ in range(3)] == [19, 18, 17]


def test_a_borrowed_client_keeps_it_to_one_event_loop(redis, environment):
    client = Redis.from_url(redis.url)
    limiter = RedisLimiter(client, environment=environment)

    async def send() -> None:
        try:
            await limiter.settle(await limiter.acquire(), PLENTY)
        finally:
            await client.aclose()

    asyncio.run(send())
    with pytest.raises(ClientStateError, match="event loop"):
        asyncio.run(send())


async def test_two_running_loops_cannot_share_a_limiter(make_limiter):
    limiter = make_limiter(limit=1, period=60.0)
    permit = await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)

    def elsewhere(call) -> None:
        asyncio.run(call())

    for call in (limiter.acquire, lambda: limiter.settle(permit, PLENTY)):
        with pytest.raises(ClientStateError, match="another event loop"):
            await asyncio.to_thread(elsewhere, call)
    assert limiter.state.waiting == 1
    waiting.cancel()
    await asyncio.wait({waiting})
    assert limiter.state.waiting == 0
    await limiter.settle(permit, PLENTY)


async def test_durations_are_numbers_or_timedeltas(make_limiter):
    limiter = make_limiter(
        limit=1, period=timedelta(minutes=1), lease=timedelta(minutes=2), timeout=timedelta(seconds=5)
    )
    await limiter.acquire()
    with pytest.raises(RateLimitError, match="longer than max_wait"):
        await limiter.acquire(timedelta())
    with pytest.raises(InvalidArgumentError, match="max_wait"):
        await limiter.acquire(-1)
    assert limiter.state.waiting == 0


async def test_a_permit_of_another_limiter_is_refused(make_limiter):
    with pytest.raises(InvalidArgumentError, match="permit"):
        await make_limiter().settle(Permit(0.0), PLENTY)


async def test_a_permit_counts_once_however_often_it_is_settled(make_limiter):
    limiter = make_limiter(period=60.0)
    permit = await limiter.acquire()
    for _ in range(3):
        await limiter.settle(permit, Feedback(answered=True))
    assert limiter.state.remaining == 19


async def test_it_leaves_no_connection_and_no_task(redis, environment, store):
    async def connections() -> int:
        return len(await store.client.client_list())

    before, tasks = await connections(), asyncio.all_tasks()
    async with RedisLimiter(redis.url, environment=environment, limit=20, period=1.0) as limiter:
        await Vendor(20, 1.0).send_many(limiter, 15)
        assert await connections() > before
    assert asyncio.all_tasks() == tasks
    async with asyncio.timeout(PATIENCE):
        while await connections() > before:
            await asyncio.sleep(0.01)


def test_without_the_redis_package_it_says_what_to_install():
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from persona_cases.limits import *\n"
        "LocalLimiter(); RedisLimiter('redis://localhost', environment='env_1')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode != 0
    assert "ImportError: " in run.stderr
    assert "pip install 'persona-cases[redis]'" in run.stderr


# ---- cancellation ----------------------------------------------------------------------------------------------------


class Interrupting(Redis):
    """A client whose caller is cancelled at one command, before it is sent or after it was carried out."""

    at: int | None = None
    after = False

    async def execute_command(self, *args, **options):
        if args[0] != "EVALSHA" or self.at is None:
            return await super().execute_command(*args, **options)
        self.at -= 1
        interrupted = self.at < 0
        if interrupted:
            self.at = None
        if not interrupted or self.after:
            answer = await super().execute_command(*args, **options)
        if interrupted:
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
        return answer


@pytest.fixture
async def interrupting(redis):
    async with Interrupting.from_url(redis.url) as client:
        yield client


@pytest.mark.parametrize("after", [False, True], ids=["unsent", "done"])
async def test_cancelled_while_it_asks_it_leaves_nothing_behind(interrupting, make_limiter, store, after):
    limiter = make_limiter(client=interrupting, period=60.0)
    await limiter.settle(await limiter.acquire(), PLENTY)
    interrupting.at, interrupting.after = 0, after
    asking = asyncio.create_task(limiter.acquire())
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await store.in_flight() == 0
    assert (limiter.state.in_flight, limiter.state.waiting, limiter.state.remaining) == (0, 0, 19)
    await limiter.settle(await limiter.acquire(0), Feedback(answered=True))


@pytest.mark.parametrize("after", [False, True], ids=["unsent", "done"])
async def test_cancelled_while_it_tells_it_tells_next_time(interrupting, make_limiter, store, after):
    limiter = make_limiter(client=interrupting, period=60.0)
    permit = await limiter.acquire()
    interrupting.at, interrupting.after = 0, after
    telling = asyncio.create_task(limiter.settle(permit, PLENTY))
    with pytest.raises(asyncio.CancelledError):
        await telling
    second = await limiter.acquire(0)
    assert await store.in_flight() == 1
    await limiter.settle(second, Feedback(answered=True))
    assert await store.in_flight() == 0
    assert limiter.state.remaining == 18


async def test_a_cancellation_at_any_moment_ends_the_call(make_limiter):
    limiter, vendor, random = make_limiter(limit=2000), Vendor(2000, 1.0), Random(7)

    async def send_on():
        while True:
            await vendor.send(limiter)

    for _ in range(40):
        senders = [asyncio.create_task(send_on()) for _ in range(8)]
        await asyncio.sleep(random.uniform(0, 0.02))
        for sender in senders:
            sender.cancel()
        done, _ = await asyncio.wait(senders, timeout=PATIENCE)
        assert len(done) == 8
    await vendor.send(limiter)
    assert (limiter.state.in_flight, limiter.state.waiting) == (0, 0)
