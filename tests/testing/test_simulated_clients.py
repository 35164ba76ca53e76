"""Clients that a simulator makes, and refusals that do not stall a test."""

from __future__ import annotations

import asyncio

import pytest

from persona_cases import NotFoundError, RateLimitError, RetryPolicy
from persona_cases.errors import ClientStateError, InvalidArgumentError, QuotaExceededError
from persona_cases.testing import Fault, ManualClock, Simulator, clients


async def waits(client):
    """Let other tasks run until the client waits for the rate limit."""
    while not client.limiter.state.waiting:
        await asyncio.sleep(0)


async def test_a_simulator_makes_clients():
    async with Simulator(cases=3) as sim, sim.client(version="2023-01-05") as client:
        assert len(await client.cases.list().collect()) == 3
        assert sim.requests[-1].headers["persona-version"] == "2023-01-05"
        with pytest.raises(TypeError, match="vershion"):
            sim.client(vershion="2023-01-05")
        with pytest.raises(InvalidArgumentError, match="max_wait"):
            sim.client(max_wait=-1)
    with pytest.raises(ClientStateError, match="the simulator does not run"):
        sim.client()


async def test_its_limiter_follows_a_clock_that_is_set_by_hand():
    async with Simulator(cases=3, clock=ManualClock(), rate_limit="2/60") as sim, sim.client() as client:
        for _ in range(2):
            await client.cases.list()
        waiting = asyncio.create_task(client.cases.list().collect())
        await waits(client)
        sim.clock.advance(59)
        await asyncio.sleep(0)
        assert not waiting.done()
        sim.clock.advance(2)
        assert len(await waiting) == 3
        assert all(request.status == 200 for request in sim.requests)


async def test_many_requests_leave_at_once_where_time_stands_still():
    async with Simulator(cases=3, clock=ManualClock(), rate_limit="60/60") as sim, sim.client(max_wait=0.5) as client:
        for _ in range(60):
            await client.cases.list()
        with pytest.raises(RateLimitError, match="the wait of 60"):
            await client.cases.list()


async def test_the_quota_of_creation_follows_it_too():
    async with Simulator(cases=0, clock=ManualClock(), case_quota="1/60") as sim, sim.client(max_wait=1) as client:
        template = next(iter(sim.store.templates))
        await client.cases.create(template)
        with pytest.raises(QuotaExceededError):
            await client.cases.create(template)
        sim.clock.advance(61)
        await client.cases.create(template)


async def test_a_clock_that_nobody_advances_is_an_error(monkeypatch):
    monkeypatch.setattr(clients, "_PATIENCE", 0.01)
    async with Simulator(cases=3, clock=ManualClock(), rate_limit="1/60") as sim, sim.client() as client:
        await client.cases.list()
        with pytest.raises(ClientStateError, match="nobody advanced the ManualClock"):
            await client.cases.list()


async def test_a_scripted_refusal_ends_within_a_second():
    async with Simulator(cases=3) as sim, sim.client(max_wait=3) as client:
        sim.faults.add(Fault.status(429))
        with pytest.raises(RateLimitError) as caught:
            await client.with_options(retry=RetryPolicy(attempts=1)).cases.list()
        assert caught.value.retry_after == 1
        sim.faults.clear()
        sim.faults.add(Fault.status(429, "Quota exceeded"))
        with pytest.raises(QuotaExceededError) as caught:
            await client.with_options(retry=RetryPolicy(attempts=1)).rate_limits()
        assert caught.value.retry_after == 1


async def test_what_lies_outside_of_the_api_is_not_its_answer():
    async with Simulator(cases=3) as sim, sim.client(base_url=sim.origin) as client:
        with pytest.raises(NotFoundError, match="not the API's own: check that base_url ends in /api/v1") as caught:
            await client.cases.list()
        assert caught.value.errors == ()
