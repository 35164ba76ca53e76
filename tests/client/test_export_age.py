"""An unfinished export is resumed as long as it is recent, and what it found keeps its time."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from persona_cases import InvalidArgumentError, Q, RetryPolicy, ServerError
from persona_cases.query import parse
from persona_cases.testing import Fault, Simulator

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def sim():
    async with Simulator(cases=500) as simulator:
        yield simulator


async def interrupted(sim, make_client, path, **settings):
    sim.faults.add(Fault.status(500), nth=4, times=1)
    with pytest.raises(ServerError):
        await make_client(sim, retry=RetryPolicy(attempts=1)).cases.export(to=path, **settings)
    sim.faults.clear()
    sim.requests.clear()


@pytest.mark.parametrize("age", [0, timedelta()])
async def test_an_export_that_is_too_old_is_refused_and_kept(sim, make_client, tmp_path, age):
    path = tmp_path / "x.jsonl"
    before = datetime.now(UTC)
    await interrupted(sim, make_client, path)
    after = datetime.now(UTC)
    cases = make_client(sim).cases
    with pytest.raises(InvalidArgumentError, match="use restart to start over, or a larger resume_max_age"):
        await cases.export(to=path, resume_max_age=age)
    assert not sim.requests
    done = await cases.export(to=path)
    assert (done.resumed, done.cases) == (True, 500)
    assert before <= done.snapshot_at <= after


async def test_a_restart_is_as_old_as_itself(sim, make_client, tmp_path):
    path = tmp_path / "x.jsonl"
    await interrupted(sim, make_client, path)
    before = datetime.now(UTC)
    done = await make_client(sim).cases.export(to=path, resume_max_age=0, restart=True)
    assert not done.resumed
    assert done.snapshot_at >= before


async def test_a_run_that_resumes_keeps_the_time_for_the_next_one(sim, make_client, tmp_path):
    path = tmp_path / "x.jsonl"
    await interrupted(sim, make_client, path)
    after = datetime.now(UTC)
    await asyncio.sleep(0.002)
    sim.faults.add(Fault.status(500), nth=1, times=1)
    with pytest.raises(ServerError):
        await make_client(sim, retry=RetryPolicy(attempts=1)).cases.export(to=path)
    assert (await make_client(sim).cases.export(to=path)).snapshot_at <= after


@pytest.mark.parametrize("age", [-1, math.nan, "6h", True, timedelta(seconds=-1)])
async def test_an_age_that_is_none_is_refused(sim, make_client, tmp_path, age):
    with pytest.raises(InvalidArgumentError, match="resume_max_age"):
        await make_client(sim).cases.export(to=tmp_path / "x.jsonl", resume_max_age=age)


def days_ago(days):
    return datetime.now(UTC) - timedelta(days=days)


@pytest.fixture
async def ages():
    """One case a day for 300 days."""
    async with Simulator(cases=0) as simulator:
        for day in range(300):
            simulator.store.create_case(status="open", created_at=days_ago(day))
        yield simulator


@pytest.mark.parametrize("consistency", ["search", "fresh"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Q.created_at.in_last(days=250),
        lambda: Q.status.eq("open") & Q.created_at.in_last(days=250),
        lambda: parse("created_at >= now() - 250d"),
        lambda: pickle.loads(pickle.dumps(Q.created_at.in_last(days=250))),
    ],
)
async def test_the_same_call_resumes_though_its_times_have_moved(ages, make_client, tmp_path, make, consistency):
    path = tmp_path / "x.db"
    first = make()
    ages.faults.add(Fault.status(500), nth=4, times=1)
    with pytest.raises(ServerError):
        await make_client(ages, retry=RetryPolicy(attempts=1)).cases.export(first, to=path, consistency=consistency)
    ages.faults.clear()
    again = make()
    assert first != again
    done = await make_client(ages).cases.export(again, to=path, consistency=consistency)
    assert (done.resumed, done.cases) == (True, 250)
    with closing(sqlite3.connect(path)) as database:
        told = dict(database.execute("SELECT name, value FROM persona_export"))
    assert json.loads(told["where"]) == first.to_dict()


@pytest.mark.parametrize(
    "other",
    [
        Q.created_at.in_last(days=249),
        Q.created_at.in_last(days=250, now=BEGAN),
        Q.updated_at.in_last(days=250),
        Q.created_at.in_next(days=250),
    ],
)
async def test_another_span_is_another_export(ages, make_client, tmp_path, other):
    path = tmp_path / "x.jsonl"
    ages.faults.add(Fault.status(500), nth=4, times=1)
    with pytest.raises(ServerError):
        await make_client(ages, retry=RetryPolicy(attempts=1)).cases.export(Q.created_at.in_last(days=250), to=path)
    ages.faults.clear()
    with pytest.raises(InvalidArgumentError, match="with different where exists"):
        await make_client(ages).cases.export(other, to=path)
