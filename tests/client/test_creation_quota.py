"""The quota of case creation, on a real server."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from limiters import Recording, Time

from persona_cases import InvalidArgumentError, PersonaClient, QuotaExceededError, RateLimitError, RetryPolicy
from persona_cases.limits import Feedback, LocalLimiter, QuotaLimiter, WindowReading
from persona_cases.testing import Simulator

QUOTA = "Quota exceeded"


def statuses(sim: Simulator) -> Counter[int | None]:
    return Counter(request.status for request in sim.requests.matching("POST", "/cases"))


def kyc(sim: Simulator) -> str:
    return sim.store.template("KYC").id


async def create(client, sim: Simulator, count: int = 1) -> None:
    await asyncio.gather(*(client.cases.create(kyc(sim)) for _ in range(count)))


# ---- keeping inside --------------------------------------------------------------------------------------------------


async def test_without_a_quota_nobody_is_held_up(make_client):
    async with Simulator(cases=0) as sim:
        client = make_client(sim)
        await create(client, sim, 20)
        assert statuses(sim) == {201: 20}
        assert not client.creation_limiter.told


@pytest.mark.parametrize("spelling", ["Quota", "QuotaLimit"])
async def test_a_quota_that_is_known_is_never_overstepped(make_client, spelling):
    async with Simulator(cases=0, case_quota="3/1", quota_headers=spelling) as sim:
        client = make_client(sim, creation_limiter=QuotaLimiter(period=1))
        await create(client, sim)
        await create(client, sim, 4)
        assert statuses(sim) == {201: 5}


async def test_a_crowd_that_waits_for_both_limits_is_refused_by_neither(make_client):
    async with Simulator(cases=0, case_quota="5/1", rate_limit="4/1") as sim:
        client = make_client(sim, limiter=LocalLimiter(4, 1), creation_limiter=QuotaLimiter(period=1))
        await create(client, sim)
        await create(client, sim, 11)
        assert statuses(sim) == {201: 12}


@pytest.mark.parametrize("status", [429, 403])
async def test_a_quota_that_nobody_knew_costs_one_round_of_refusals(make_client, status):
    async with Simulator(cases=0, case_quota="4/1", quota_status=status) as sim:
        client = make_client(sim, creation_limiter=QuotaLimiter(period=1))
        await create(client, sim, 6)
        assert statuses(sim) == {201: 6, status: 2}
        assert len(sim.store.cases) == 6


async def test_a_stranger_on_the_quota_causes_no_storm(make_client):
    async with Simulator(cases=0, case_quota="4/1") as sim:
        client = make_client(sim, creation_limiter=QuotaLimiter(period=1))
        await create(client, sim)
        sim.spend_quota(3)
        await create(client, sim, 4)
        refused = statuses(sim).pop(429)
        # At most what was let go under the old number.
        assert refused <= 3
        assert statuses(sim) == {201: 5, 429: refused}


async def test_replays_do_not_upset_it(make_client):
    async with Simulator(cases=0, case_quota="4/1") as sim:
        client = make_client(sim, creation_limiter=QuotaLimiter(period=1))
        for _ in range(3):
            await client.cases.create(kyc(sim), idempotency_key="key-1")
        await create(client, sim, 3)
        await client.cases.create(kyc(sim), idempotency_key="key-1")
        await create(client, sim, 2)
        assert (set(statuses(sim)), len(sim.store.cases)) == ({201}, 6)


# ---- what a used-up quota does and does not stop ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 403])
async def test_a_used_up_quota_stops_creations_alone(make_client, status):
    async with Simulator(cases=3, case_quota="1/60", quota_status=status) as sim:
        client = make_client(sim, max_wait=1)
        sim.spend_quota(1)
        with pytest.raises(QuotaExceededError, match=QUOTA) as caught:
            await client.cases.create(kyc(sim))
        assert (caught.value.status, caught.value.attempts) == (status, 1)
        with pytest.raises(QuotaExceededError, match="longer than max_wait") as caught:
            await client.cases.create(kyc(sim))
        assert 30 < caught.value.retry_after <= 62
        assert len(sim.requests) == 1
        case = await client.cases.list().first()
        await client.cases.set_status(case.id, "pending")
        assert await client.cases.search().first()


async def test_the_retry_deadline_bounds_the_wait_for_it(make_client):
    async with Simulator(cases=0, case_quota="1/60") as sim:
        client = make_client(sim, retry=RetryPolicy(deadline=5))
        sim.spend_quota(1)
        with pytest.raises(QuotaExceededError, match=QUOTA) as caught:
            await client.cases.create(kyc(sim))
        assert (caught.value.attempts, len(sim.requests)) == (1, 1)
        assert isinstance(caught.value.__cause__, QuotaExceededError)


async def test_a_refused_creation_is_made_under_its_key_when_there_is_room(make_client):
    async with Simulator(cases=0, case_quota="1/1") as sim:
        client = make_client(sim, creation_limiter=QuotaLimiter(period=1))
        sim.spend_quota(1)
        await client.cases.create(kyc(sim))
        assert [request.status for request in sim.requests] == [429, 201]
        assert len({request.headers["idempotency-key"] for request in sim.requests}) == 1


@pytest.mark.parametrize("used_up", ["quota", "rate limit"])
async def test_a_creation_that_is_cancelled_while_it_waits_leaves_no_trace(make_client, used_up):
    async with Simulator(cases=1, case_quota="2/60", rate_limit="3/60") as sim:
        client = make_client(sim, limiter=LocalLimiter(3, 1), creation_limiter=QuotaLimiter(period=1))
        await create(client, sim)
        if used_up == "quota":
            await create(client, sim)
        else:
            await asyncio.gather(*(client.cases.list().first() for _ in range(2)))
        before = client.limiter.state.remaining, client.creation_limiter.state.remaining
        assert before == ((1, 0) if used_up == "quota" else (0, 1))
        task = asyncio.create_task(client.cases.create(kyc(sim)))
        held_up_by = client.creation_limiter if used_up == "quota" else client.limiter
        while not held_up_by.state.waiting:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (client.limiter.state.remaining, client.creation_limiter.state.remaining) == before
        assert client.limiter.state.in_flight == client.creation_limiter.state.in_flight == 0


# ---- who passes it ---------------------------------------------------------------------------------------------------


async def test_creations_pass_the_limiter_that_is_given_and_nothing_else_does(make_client):
    async with Simulator(cases=3) as sim:
        quota, limiter = Recording(Time()), LocalLimiter()
        client = make_client(sim, limiter=limiter, creation_limiter=quota)
        assert client.creation_limiter is client.with_options(timeout=5).creation_limiter is quota
        assert client.limiter is client.with_options(timeout=5).limiter is limiter
        case = await client.cases.list().first()
        await client.cases.add_tag(case.id, "vip")
        await client.cases.search().first()
        await client.cases.update(case.id, case_queue_id=None)
        assert quota.patience == []
        await client.cases.create(kyc(sim))
        document = {"data": {"attributes": {"case-template-id": kyc(sim)}}}
        await client.with_options(max_wait=9).request("POST", "/cases", json=document)
        assert (quota.patience, quota.out) == ([None, 9], 0)


async def test_clients_may_share_it(make_client):
    async with Simulator(cases=0, case_quota="3/1") as sim:
        shared = QuotaLimiter(period=1)
        one, other = (make_client(sim, creation_limiter=shared) for _ in range(2))
        await create(one, sim)
        await asyncio.gather(create(one, sim, 2), create(other, sim, 2))
        assert statuses(sim) == {201: 5}


# ---- the limiter by itself -------------------------------------------------------------------------------------------


def reading(remaining: int, limit: int = 3, reset: int = 60) -> Feedback:
    return Feedback(answered=True, reading=WindowReading(limit, remaining, reset))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time) -> QuotaLimiter:
    return QuotaLimiter(clock=time)


async def test_what_was_under_way_when_the_quota_became_known_is_counted(limiter):
    first, second, _third = [await limiter.acquire() for _ in range(3)]
    await limiter.settle(first, reading(2))
    assert limiter.told
    with pytest.raises(RateLimitError):
        await limiter.acquire(0.01)
    # One of them was never counted, says the second answer.
    await limiter.settle(second, reading(2))
    await limiter.acquire(20)


async def test_a_permit_that_comes_back_unused_is_there_for_the_next(limiter):
    await limiter.settle(await limiter.acquire(), reading(1, limit=300))
    for _ in range(3):
        await limiter.settle(await limiter.acquire(20), Feedback(sent=False))
    assert limiter.state.remaining == 1


async def test_answers_without_numbers_tell_nothing(limiter):
    for _ in range(2000):
        await limiter.settle(await limiter.acquire(), Feedback(answered=True))
        await limiter.settle(await limiter.acquire(), Feedback())
    assert not limiter.told
    await limiter.settle(await limiter.acquire(), reading(2))
    assert (limiter.state.limit, limiter.state.remaining) == (3, 2)


async def test_a_refusal_without_numbers_holds_up_creations_too(limiter, time):
    await limiter.settle(await limiter.acquire(), Feedback(answered=True, refused=True))
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(1)
    assert caught.value.retry_after == 5
    time.now += 5
    await limiter.acquire(1)


async def test_a_new_window_has_room_again(limiter, time):
    await limiter.settle(await limiter.acquire(), reading(0))
    with pytest.raises(RateLimitError):
        await limiter.acquire(59)
    time.now += 61
    assert (await limiter.acquire(1)).departed == 61


def test_a_limiter_says_what_it_knows(limiter):
    assert repr(limiter) == "QuotaLimiter(limit=untold, period=60)"
    assert (limiter.state.limit, limiter.state.in_flight) == (1_000_000, 0)
    asyncio.run(_tell(limiter))
    assert repr(limiter) == "QuotaLimiter(limit=3, period=60)"
    assert (limiter.state.limit, limiter.state.remaining, limiter.state.in_flight) == (3, 2, 0)


async def _tell(limiter: QuotaLimiter) -> None:
    permit = await limiter.acquire()
    assert limiter.state.in_flight == 1
    await limiter.settle(permit, reading(2))


@pytest.mark.parametrize("period", [0, -1, "60"])
def test_a_period_that_can_not_be_is_refused(period):
    with pytest.raises(InvalidArgumentError, match="period"):
        QuotaLimiter(period)


@pytest.mark.parametrize("argument", ["limiter", "creation_limiter"])
@pytest.mark.parametrize("value", [5, "300/60", LocalLimiter, object()], ids=["number", "text", "class", "object"])
def test_what_is_no_limiter_is_refused(argument, value):
    with pytest.raises(InvalidArgumentError, match=f"^{argument} must be a Limiter"):
        PersonaClient("a-long-key", **{argument: value})


def test_one_limiter_can_not_be_both():
    both = LocalLimiter()
    with pytest.raises(InvalidArgumentError, match="creation_limiter must not be the same object"):
        PersonaClient("a-long-key", limiter=both, creation_limiter=both)
