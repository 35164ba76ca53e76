"""Cases that cannot be decoded end an export, or are set aside beside it."""

from __future__ import annotations

from traceback import walk_tb

import attrs
import msgspec
import pytest

from persona_cases import DecodeError, InvalidArgumentError, Q, RetryPolicy, ServerError
from persona_cases.testing import Fault, Simulator

# What a field says in the simulator, and what the API is to send instead of it.
NOT_A_NUMBER = (b'"poison-number"', b"1e400")
NOT_JSON = (b'"poison-json"', b"nope")
TABLES = ["x.csv", "x.parquet", "x.db"]


async def poison(request, call_next):
    response = await call_next(request)
    body = response.body
    for marker, sent in (NOT_A_NUMBER, NOT_JSON):
        body = body.replace(marker, sent)
    return attrs.evolve(response, body=body)


@pytest.fixture
async def sim():
    async with Simulator(cases=300) as simulator:
        yield simulator


def poisoned(sim, *words):
    """Poison a case for each word, and return their ids."""
    noted = [id for id, case in sim.store.cases.items() if "notes" in case.fields]
    ids = noted[100 : 100 + 5 * len(words) : 5]
    for id, word in zip(ids, words, strict=True):
        sim.store.update_case(id, fields={"notes": word})
    return ids


def needs(name):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")


ORDERS = {"ranges": {}, "fresh": {"consistency": "fresh"}, "sort": {"sort": Q.created_at.desc()}}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", [*TABLES, "x.jsonl", "x.jsonl.gz"])
async def test_cases_that_are_not_json_are_set_aside(sim, make_client, tmp_path, name, order):
    needs(name)
    (bad,) = poisoned(sim, "poison-json")
    cases = make_client(sim, middleware=[poison]).cases
    done = await cases.export(to=tmp_path / name, undecodable="set_aside", **ORDERS[order])
    assert (done.cases, done.rejected) == (299, 1)
    assert "set aside 1 case that could not be decoded" in str(done)
    assert done.to_dict()["rejected"] == 1
    (line,) = (tmp_path / f"{name}.rejected.jsonl").read_bytes().splitlines()
    assert bad.encode() in line
    assert NOT_JSON[1] in line
    assert {each.name for each in tmp_path.iterdir()} == {name, f"{name}.rejected.jsonl"}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", TABLES)
async def test_tables_set_aside_what_they_cannot_hold(sim, make_client, tmp_path, name, order):
    needs(name)
    bad = poisoned(sim, "poison-number", "poison-json")
    cases = make_client(sim, middleware=[poison]).cases
    done = await cases.export(to=tmp_path / name, undecodable="set_aside", **ORDERS[order])
    assert (done.cases, done.rejected) == (298, 2)
    lines = (tmp_path / f"{name}.rejected.jsonl").read_bytes()
    assert all(each.encode() in lines for each in bad)


async def test_lines_of_json_hold_what_python_cannot(sim, make_client, tmp_path):
    poisoned(sim, "poison-number")
    cases = make_client(sim, middleware=[poison]).cases
    done = await cases.export(to=tmp_path / "x.jsonl", undecodable="set_aside")
    assert (done.cases, done.rejected) == (300, 0)
    assert list(tmp_path.iterdir()) == [tmp_path / "x.jsonl"]


@pytest.mark.parametrize("order", ["ranges", "sort"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
async def test_by_default_they_end_the_export(sim, make_client, tmp_path, name, order):
    (bad,) = poisoned(sim, "poison-json")
    with pytest.raises(DecodeError) as caught:
        await make_client(sim, middleware=[poison]).cases.export(to=tmp_path / name, **ORDERS[order])
    assert caught.value.case_id == bad
    assert not (tmp_path / name).exists()


async def test_an_export_that_ended_with_one_resumes_without_it(sim, make_client, tmp_path):
    poisoned(sim, "poison-json")
    cases, path = make_client(sim, middleware=[poison]).cases, tmp_path / "x.jsonl"
    with pytest.raises(DecodeError):
        await cases.export(to=path)
    done = await cases.export(to=path, undecodable="set_aside")
    assert (done.cases, done.rejected) == (299, 1)


async def test_what_was_set_aside_outlives_an_interruption(sim, make_client, tmp_path):
    noted = (case for case in sim.store.cases.values() if "notes" in case.fields)
    oldest = min(noted, key=lambda case: case.created_at)
    sim.store.update_case(oldest.id, fields={"notes": "poison-json"})
    client = make_client(sim, middleware=[poison], retry=RetryPolicy(attempts=1))
    sim.faults.add(Fault.status(503), nth=4, times=1)
    with pytest.raises(ServerError):
        await client.cases.export(to=tmp_path / "x.jsonl", undecodable="set_aside")
    assert not (tmp_path / "x.jsonl.rejected.jsonl").exists()
    done = await client.cases.export(to=tmp_path / "x.jsonl", undecodable="set_aside")
    assert (done.resumed, done.cases, done.rejected) == (True, 299, 1)
    assert len((tmp_path / "x.jsonl.rejected.jsonl").read_bytes().splitlines()) == 1


async def test_the_next_export_without_any_removes_the_file(sim, make_client, tmp_path):
    poisoned(sim, "poison-json")
    path = tmp_path / "x.jsonl"
    await make_client(sim, middleware=[poison]).cases.export(to=path, undecodable="set_aside")
    assert len(list(tmp_path.iterdir())) == 2
    await make_client(sim).cases.export(to=path, undecodable="set_aside")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("order", ["ranges", "sort"])
async def test_the_attachments_of_the_others_are_downloaded(sim, make_client, tmp_path, order):
    poisoned(sim, "poison-json", "poison-number")
    cases = make_client(sim, middleware=[poison]).cases
    done = await cases.export(
        to=tmp_path / "x.csv", undecodable="set_aside", attachments=tmp_path / "files", **ORDERS[order]
    )
    assert (done.cases, done.rejected) == (298, 2)
    assert done.attachments.files > 10


async def test_nonsense_and_sinks_are_refused_before_the_first_request(sim, make_client, tmp_path):
    class Nowhere:
        def write(self, cases):
            pass

        def commit(self):
            pass

        def discard(self):
            pass

    cases = make_client(sim).cases
    with pytest.raises(InvalidArgumentError, match="undecodable must be"):
        await cases.export(to=tmp_path / "x.jsonl", undecodable="ignore")
    with pytest.raises(InvalidArgumentError, match="writes a file beside the output"):
        await cases.export(to=Nowhere(), undecodable="set_aside")
    assert not sim.requests


async def test_merged_searches_set_aside_too(sim, make_client, tmp_path):
    (bad,) = poisoned(sim, "poison-json")
    sim.store.update_case(bad, status="open")
    often = Q.fields.amount.gte(0) | ~Q.created_at.gte("2100-01-01")
    where = (Q.status.eq("open") | ~Q.fields.priority.eq("low")) & often
    assert "searches, run side by side" in make_client(sim).cases.search(where).explain()
    found = {case.id async for case in make_client(sim).cases.search(where)}
    cases, path = make_client(sim, middleware=[poison]).cases, tmp_path / "x.jsonl"
    for order in ({}, {"sort": Q.created_at.desc()}):
        done = await cases.export(where, to=path, undecodable="set_aside", **order)
        assert done.rejected == 1
        assert {msgspec.json.decode(line)["id"] for line in path.read_bytes().splitlines()} == found - {bad}


@pytest.mark.parametrize("settings", [{}, {"limit": 200}], ids=["ranges", "order"])
async def test_the_frames_of_an_export_that_ended_hold_no_cases(sim, make_client, tmp_path, settings):
    poisoned(sim, "poison-number")
    cases = make_client(sim, middleware=[poison]).cases
    with pytest.raises(DecodeError) as caught:
        await cases.export(to=tmp_path / "x.csv", **settings)
    sim.faults.add(Fault.status(500), nth=2)
    with pytest.raises(ServerError) as failed:
        await make_client(sim, retry=RetryPolicy(attempts=1)).cases.export(to=tmp_path / "y.csv", **settings)
    for traceback in (caught.tb, failed.tb):
        frames = [frame for frame, _ in walk_tb(traceback) if "/tests/" not in frame.f_code.co_filename]
        assert frames
        assert [
            name for frame in frames for name, value in frame.f_locals.items() if '"attributes"' in repr(value)
        ] == []
