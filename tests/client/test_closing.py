"""Closing a client while calls are under way, and waiting for them first."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from faults.leaks import until

from persona_cases import ClientStateError, IndeterminateError, PersonaClient, RetryPolicy
from persona_cases.limits import LocalLimiter, QuotaLimiter
from persona_cases.testing import Fault, Simulator

WITHOUT_NUMBERS = Fault.headers({f"RateLimit-{name}": None for name in ("Limit", "Remaining", "Reset")})
HANGING = Fault.delay(3600)
PATIENT = RetryPolicy(base=1e6, cap=1e6, deadline=1e9)


@pytest.fixture
async def sim():
    async with Simulator(cases=3) as simulator:
        yield simulator


@pytest.fixture
def template(sim) -> str:
    return sim.store.template("KYC").id


WRITES = {
    "create": lambda persona, template, case: persona.cases.create(template, idempotency_key="key-1"),
    "update": lambda persona, template, case: persona.cases.update(case, fields={"priority": "low"}),
    "redact": lambda persona, template, case: persona.cases.redact(case),
    "add_tag": lambda persona, template, case: persona.request("POST", f"/cases/{case}/add-tag", json={}),
}


async def under_way(sim, coroutine) -> asyncio.Task:
    """Begin a call, and wait until its request has arrived."""
    before = len(sim.requests)
    task = asyncio.create_task(coroutine)
    await until(lambda: len(sim.requests) > before)
    return task


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_under_way_is_in_doubt_when_the_client_is_closed(sim, make_client, template, write):
    persona = make_client(sim)
    sim.faults.add(HANGING)
    case = next(iter(sim.store.cases))
    task = await under_way(sim, WRITES[write](persona, template, case))
    await persona.close()
    with pytest.raises(IndeterminateError, match="closed.*read the object back") as caught:
        await task
    assert (caught.value.status, caught.value.attempts) == (None, 1)
    if write == "create":
        assert caught.value.idempotency_key == "key-1"
    assert persona.limiter.state.in_flight == 0


async def test_a_write_over_a_borrowed_session_is_ended_too(sim, template):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        persona = PersonaClient(sim.api_key, base_url=sim.base_url, session=session)
        sim.faults.add(HANGING)
        task = await under_way(sim, persona.cases.create(template))
        await persona.close()
        with pytest.raises(IndeterminateError):
            await task
        assert not session.closed


async def test_a_read_under_way_is_ended(sim, make_client):
    persona = make_client(sim)
    sim.faults.add(HANGING)
    task = await under_way(sim, persona.cases.list().collect())
    await persona.close()
    with pytest.raises(ClientStateError, match="closed") as caught:
        await task
    assert (caught.value.method, caught.value.path_template, caught.value.attempts) == ("GET", "/cases", 1)


async def ended_at_once(persona, coroutine):
    """Close a client while a call waits, and return the error of that call."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    await persona.close()
    async with asyncio.timeout(20):
        with pytest.raises((ClientStateError, IndeterminateError)) as caught:
            await task
    return caught.value


@pytest.mark.parametrize("kind", ["rate limit", "quota"])
async def test_who_waits_for_a_limit_learns_at_once(sim, make_client, template, kind):
    limiter = LocalLimiter(limit=1, period=60, clock=lambda: 0.0)
    settings = {"limiter": limiter} if kind == "rate limit" else {"creation_limiter": limiter}
    persona = make_client(sim, **settings)
    sim.faults.add(WITHOUT_NUMBERS)
    await persona.cases.create(template)
    error = await ended_at_once(persona, persona.cases.create(template))
    assert type(error) is ClientStateError
    assert (error.attempts, len(sim.requests)) == (0, 1)
    assert (limiter.state.waiting, limiter.state.in_flight) == (0, 0)


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.drop()], ids=["failed", "dropped"])
async def test_a_write_that_waits_to_be_repeated_is_still_in_doubt(sim, make_client, template, fault):
    persona = make_client(sim, retry=PATIENT)
    sim.faults.add(fault)
    task = await under_way(sim, persona.cases.create(template))
    await until(lambda: persona.limiter.state.in_flight == 0)
    error = await ended_at_once(persona, task)
    assert isinstance(error, IndeterminateError)


async def test_a_read_that_waits_to_be_repeated_learns_at_once(sim, make_client):
    persona = make_client(sim, retry=PATIENT)
    sim.faults.add(Fault.status(503))
    task = await under_way(sim, persona.cases.list().collect())
    await until(lambda: persona.limiter.state.in_flight == 0)
    assert type(await ended_at_once(persona, task)) is ClientStateError


async def test_a_write_that_waits_for_a_connection_was_not_sent(sim, make_client, template):
    persona = make_client(sim, max_connections=1, creation_limiter=QuotaLimiter())
    await persona.rate_limits()
    sim.faults.add(HANGING)
    holder = await under_way(sim, persona.cases.list().collect())
    error = await ended_at_once(persona, persona.cases.create(template))
    assert type(error) is ClientStateError
    with pytest.raises(ClientStateError):
        await holder


async def test_a_closed_client_makes_no_calls(sim, make_client):
    persona = make_client(sim)
    await persona.close()
    with pytest.raises(ClientStateError, match="make a new one"):
        await persona.cases.list()
    with pytest.raises(ClientStateError):
        async with persona:
            pass
    await persona.close()


async def test_a_user_who_cancels_gets_a_cancellation(sim, make_client, template):
    persona = make_client(sim)
    sim.faults.add(HANGING)
    task = await under_way(sim, persona.cases.create(template))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_middleware_may_close_its_client(sim):
    async def closing(request, call_next):
        response = await call_next(request)
        await persona.close()
        return response

    persona = PersonaClient(sim.api_key, base_url=sim.base_url, middleware=[closing])
    assert len(await persona.cases.list()) == 3


# ---- copies ----------------------------------------------------------------------------------------------------------


async def test_closing_a_copy_does_not_close_the_client_it_was_made_from(sim, make_client, template):
    persona = make_client(sim)
    sim.faults.next(HANGING, Fault.delay(0.05))
    copy = persona.with_options(timeout=timedelta(seconds=30))
    its_own = await under_way(sim, copy.cases.create(template))
    other = await under_way(sim, persona.cases.list().collect())
    await copy.close()
    with pytest.raises(IndeterminateError):
        await its_own
    assert len(await other) >= 3
    with pytest.raises(ClientStateError):
        await copy.cases.list()
    assert len(await persona.cases.list()) >= 3


async def test_closing_a_client_closes_its_copies(sim, make_client):
    persona = make_client(sim)
    copy = persona.with_options(max_wait=1).with_options(version="2023-01-05")
    sim.faults.add(HANGING)
    task = await under_way(sim, copy.cases.list().collect())
    await persona.close()
    with pytest.raises(ClientStateError):
        await task
    with pytest.raises(ClientStateError):
        await copy.rate_limits()


async def test_a_copy_of_a_subclass_is_of_that_class(sim):
    class Ours(PersonaClient):
        tenant = None

    persona = Ours(sim.api_key, base_url=sim.base_url)
    persona.tenant = "acme"
    copy = persona.with_options(max_wait=timedelta(minutes=1))
    assert (type(copy), copy.tenant) == (Ours, "acme")
    copy.tenant = "other"
    assert persona.tenant == "acme"
    await persona.close()


# ---- draining --------------------------------------------------------------------------------------------------------


async def test_draining_waits_for_what_is_under_way(sim, make_client, template):
    persona = make_client(sim)
    assert await persona.drain() is True
    sim.faults.next(Fault.delay(0.05))
    task = await under_way(sim, persona.with_options(max_wait=9).cases.create(template))
    assert await persona.drain(timedelta(seconds=20)) is True
    assert task.done() or await task
    await persona.close()


async def test_draining_gives_up_in_time(sim, make_client, template):
    persona = make_client(sim)
    sim.faults.add(HANGING)
    task = await under_way(sim, persona.cases.create(template))
    assert await persona.drain(0) is False
    assert not task.done()
    await persona.close()
    with pytest.raises(IndeterminateError):
        await task


@pytest.mark.parametrize("timeout", [-1, "5", float("nan")])
async def test_a_drain_that_cannot_work_is_refused(make_client, sim, timeout):
    with pytest.raises(ValueError, match="timeout"):
        await make_client(sim).drain(timeout)
