"""What an export reports of itself is what the API saw."""

from __future__ import annotations

import asyncio

import pytest

from persona_cases import ConflictError, Q, RetryPolicy, ServerError
from persona_cases.testing import Fault, Simulator

PATIENT = RetryPolicy(base=0, attempts=10)


@pytest.fixture
async def sim():
    async with Simulator(cases=500) as simulator:
        yield simulator


class Nowhere:
    """A sink that keeps nothing."""

    def write(self, cases):
        pass

    def commit(self):
        pass

    def discard(self):
        pass


KINDS = {
    "by ranges": {"to": "x.jsonl"},
    "a table": {"to": "x.csv.gz"},
    "in order": {"to": "x.jsonl", "sort": Q.updated_at.desc()},
    "with a limit": {"to": "x.csv", "limit": 320},
    "to a sink": {"to": Nowhere()},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_requests_and_refusals_are_those_that_the_api_counted(sim, make_client, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    # A refusal like this is not one by the rate limit, which would be waited for.
    sim.faults.add(Fault.status(429, "Quota exceeded", headers={"Retry-After": "0"}), nth=2, times=1)
    sim.faults.add(Fault.drop(), nth=3, times=1)
    sim.faults.add(Fault.status(503), nth=4, times=1)
    report = await make_client(sim, retry=PATIENT).cases.export(**KINDS[kind])
    assert (report.requests, report.refused) == (len(sim.requests), 1)
    assert [request.fault for request in sim.requests if request.fault] == ["status 429", "drop", "status 503"]
    assert report.pages == report.requests - 3
    assert report.cases == min(500, KINDS[kind].get("limit", 500))
    assert report.elapsed > 0
    assert not report.resumed


async def test_a_walk_in_order_has_one_walker(sim, make_client, tmp_path):
    report = await make_client(sim).cases.export(to=tmp_path / "x.jsonl", sort=Q.created_at.asc())
    assert report.fetchers == (report.pages,) == (5,)


async def test_walkers_side_by_side_share_the_pages(make_client, tmp_path):
    async with Simulator(cases=3000, latency=0.03) as sim:
        report = await make_client(sim).cases.export(to=tmp_path / "x.jsonl")
    assert len(report.fetchers) > 1
    assert min(report.fetchers) > 0
    assert sum(report.fetchers) <= report.pages <= report.requests


async def test_what_others_send_meanwhile_is_not_counted(sim, make_client, tmp_path):
    client = make_client(sim)

    async def others():
        for _ in range(20):
            await client.cases.list(page_size=1)

    async with asyncio.TaskGroup() as group:
        group.create_task(others())
        first = group.create_task(client.cases.export(to=tmp_path / "first.jsonl"))
        second = group.create_task(client.cases.export(to=tmp_path / "second.jsonl", limit=250))
    assert first.result().requests + second.result().requests + 20 == len(sim.requests)
    assert second.result().requests == 3


async def test_what_a_middleware_repeats_is_counted_as_often(sim, make_client, tmp_path):
    async def twice(request, call_next):
        await call_next(request)
        return await call_next(request)

    report = await make_client(sim, middleware=[twice]).cases.export(to=tmp_path / "x.jsonl", limit=200)
    assert (report.pages, report.requests) == (2, 4) == (2, len(sim.requests))


async def test_a_run_that_goes_on_reports_its_own_requests_and_all_cases(sim, make_client, tmp_path):
    client, target = make_client(sim, retry=RetryPolicy(attempts=1)), tmp_path / "x.jsonl"
    sim.faults.add(Fault.status(409), nth=4, times=1)
    with pytest.raises(ConflictError):
        await client.cases.export(to=target)
    sim.requests.clear()
    report = await client.cases.export(to=target)
    assert (report.cases, report.resumed, report.requests) == (500, True, len(sim.requests))


async def test_a_restarted_run_is_none_that_goes_on(sim, make_client, tmp_path):
    client, target = make_client(sim, retry=RetryPolicy(attempts=1)), tmp_path / "x.jsonl"
    sim.faults.add(Fault.status(500), nth=4, times=1)
    with pytest.raises(ServerError):
        await client.cases.export(to=target)
    assert not (await client.cases.export(to=target, restart=True)).resumed
