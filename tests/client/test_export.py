"""Exporting to a file."""

from __future__ import annotations

import asyncio
import os
import stat

import msgspec
import pytest

from persona_cases import InvalidArgumentError, Q, RetryPolicy, ServerError
from persona_cases.testing import Fault, Simulator

WHERE = Q.status.eq("open") & ~Q.fields.priority.eq("low")


@pytest.fixture
async def sim():
    async with Simulator(cases=500) as simulator:
        yield simulator


async def test_the_file_holds_exactly_the_matching_cases_as_they_were_sent(sim, make_client, tmp_path):
    client = make_client(sim)
    target, reports = tmp_path / "open.jsonl", []
    result = await client.cases.export(WHERE, target, on_progress=reports.append)
    lines = target.read_bytes().splitlines()
    cases = await client.cases.search(WHERE).collect()
    assert lines == [case.raw for case in cases]
    assert {msgspec.json.decode(line)["id"] for line in lines} == {case.id for case in cases}
    assert result == reports[-1]
    assert (result.cases, result.pages, result.size) == (len(cases), len(reports), target.stat().st_size)
    assert len(cases) > 10


async def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(sim, make_client, tmp_path):
    client = make_client(sim, retry=RetryPolicy(attempts=1))
    target = tmp_path / "cases.jsonl"
    target.write_text("before")
    sim.faults.add(Fault.status(503), nth=3, times=1)
    with pytest.raises(ServerError):
        await client.cases.export(None, target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    assert (await client.cases.export(None, target)).cases == 500
    assert len(target.read_bytes().splitlines()) == 500


async def test_a_cancelled_export_leaves_nothing_behind(sim, make_client, tmp_path):
    sim.faults.add(Fault.delay(30), nth=2)
    task = asyncio.create_task(make_client(sim).cases.export(None, tmp_path / "cases.jsonl"))
    while len(sim.requests) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_order_limit_and_fields(sim, make_client, tmp_path):
    target = tmp_path / "cases.jsonl"
    result = await make_client(sim).cases.export(
        None, target, sort=Q.created_at.asc(), fields=["created_at"], limit=120
    )
    times = [msgspec.json.decode(line)["attributes"]["created_at"] for line in target.read_bytes().splitlines()]
    assert result.cases == len(times) == 120
    assert times == sorted(times)


@pytest.mark.parametrize("name", ["missing/cases.jsonl", "."])
async def test_a_path_that_can_not_be_written_is_refused_before_the_first_request(sim, make_client, tmp_path, name):
    with pytest.raises(InvalidArgumentError, match="can not write"):
        await make_client(sim).cases.export(None, tmp_path / name)
    assert not sim.requests


async def test_pipes_and_devices_are_refused_and_links_are_followed(sim, make_client, tmp_path):
    client = make_client(sim)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidArgumentError, match="no regular file"):
        await client.cases.export(None, tmp_path / "pipe")
    assert not sim.requests
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "target.jsonl")
    await client.cases.export(None, tmp_path / "link.jsonl", limit=2)
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len((tmp_path / "target.jsonl").read_bytes().splitlines()) == 2


async def test_the_file_has_the_permissions_of_any_new_file(sim, make_client, tmp_path):
    (tmp_path / "other").touch()
    await make_client(sim).cases.export(None, tmp_path / "cases.jsonl", limit=1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
