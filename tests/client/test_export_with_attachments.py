"""Exports that download attachments: whatever the walk, the files are there before the export is."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from attached_files import SEVEN_HOURS, on_disk, simulated

from persona_cases import InvalidArgumentError, PersonaError, Q, RetryPolicy, ServerError
from persona_cases.export import AttachmentReport
from persona_cases.testing import Fault, ManualClock

IMPATIENT = RetryPolicy(attempts=1)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def sim(clock):
    async with simulated(260, clock) as simulator:
        yield simulator


class Nowhere:
    """A sink that keeps nothing but how often it was ended."""

    def __init__(self):
        self.ended = []

    def write(self, cases):
        pass

    def commit(self):
        self.ended.append("commit")

    def discard(self):
        self.ended.append("discard")


TO_FILES = {
    "ranges": {"to": "x.jsonl"},
    "ranges, packed": {"to": "x.jsonl.gz"},
    "ranges, csv": {"to": "x.csv"},
    "ranges, parquet": {"to": "x.parquet"},
    "fresh": {"to": "x.jsonl", "consistency": "fresh"},
    "fresh, csv": {"to": "x.csv", "consistency": "fresh"},
    "limit": {"to": "x.jsonl", "limit": 150},
    "sort": {"to": "x.jsonl", "sort": Q.updated_at.desc()},
    "sort, csv": {"to": "x.csv", "sort": Q.updated_at.desc()},
}
EACH_WAY = ("ranges", "ranges, csv", "fresh", "limit", "sort, csv")
"""One of each way to fetch and to write; what other formats add is tried once."""


@pytest.fixture(params=EACH_WAY)
def settings(request, tmp_path, monkeypatch):
    """The arguments of an export to a file, with its attachments beside it."""
    if "parquet" in request.param:
        pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    monkeypatch.chdir(tmp_path)
    return {"where": None, "attachments": "files", **TO_FILES[request.param]}


def attached(sim, most=None):
    """What ought to be on the disk after an export of so many of the oldest cases; no two files have one name."""
    oldest_first = sorted(sim.store.cases.values(), key=lambda case: case.created_at)
    return {
        f"{case.id}/{file.filename}": sim.store.file_content(file)
        for case in oldest_first[:most]
        for file in case.attachments
    }


def downloaded(sim):
    return [request.path for request in sim.requests if not request.in_api]


def report_of(files):
    return AttachmentReport(files=len(files), requests=len(files), size=sum(map(len, files.values())))


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


# ---- what is there in the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", TO_FILES, indirect=True)
async def test_all_files_are_there_and_counted_once(sim, make_client, settings, tmp_path):
    expected = attached(sim, settings.get("limit"))
    persona = make_client(sim)
    done = await persona.cases.export(**settings)
    assert len(expected) > 20
    assert on_disk(tmp_path / "files") == expected
    assert done.attachments == report_of(expected)
    assert len(downloaded(sim)) == len(expected)
    assert (tmp_path / settings["to"]).stat().st_size == done.size
    assert {path.name for path in tmp_path.iterdir()} == {settings["to"], "files"}
    # Files are no requests to the API, for the report as for the rate limit.
    assert done.requests == len([request for request in sim.requests if request.in_api])

    again = await persona.cases.export(**settings)
    assert again.attachments == AttachmentReport(there=len(expected))
    assert len(downloaded(sim)) == len(expected)
    assert on_disk(tmp_path / "files") == expected


async def test_a_sink_gets_cases_beside_their_files(sim, make_client, tmp_path):
    expected, sink = attached(sim), Nowhere()
    done = await make_client(sim).cases.export(to=sink, attachments=tmp_path / "files")
    assert on_disk(tmp_path / "files") == expected
    assert (done.attachments, done.cases, sink.ended) == (report_of(expected), 260, ["commit"])


async def test_only_files_of_cases_that_match_are_downloaded(sim, make_client, tmp_path):
    some = {case.id for case in sim.store.cases.values() if case.status == "open"}
    expected = {name: each for name, each in attached(sim).items() if name.partition("/")[0] in some}
    assert 0 < len(expected) < len(attached(sim))
    for consistency in ("search", "fresh"):
        files = tmp_path / consistency
        where, path = Q.status.eq("open"), tmp_path / f"{consistency}.jsonl"
        await make_client(sim).cases.export(where, to=path, consistency=consistency, attachments=files)
        assert on_disk(files) == expected


async def test_without_attachments_asked_for_nothing_is_downloaded(sim, make_client, tmp_path):
    done = await make_client(sim).cases.export(to=tmp_path / "x.jsonl")
    assert (done.attachments, downloaded(sim)) == (None, [])


async def test_sparse_fields_are_enough_if_attachments_are_among_them(sim, make_client, settings, tmp_path):
    done = await make_client(sim).cases.export(**settings, only=["status", "attachments"])
    assert done.attachments == report_of(attached(sim, settings.get("limit")))
    assert on_disk(tmp_path / "files") == attached(sim, settings.get("limit"))


async def test_fields_without_attachments_are_refused_before_the_first_request(sim, make_client, settings, tmp_path):
    with pytest.raises(InvalidArgumentError, match="add it to only"):
        await make_client(sim).cases.export(**settings, only=["status"])
    assert not [*sim.requests, *tmp_path.iterdir()]


async def test_the_host_of_the_files_gets_no_key(sim, make_client, settings):
    await make_client(sim).cases.export(**settings)
    assert all(request.authorized for request in sim.requests if request.in_api)
    at_host = [request for request in sim.requests if not request.in_api]
    assert len(at_host) > 20
    assert not any(request.authorized or sim.api_key in repr(dict(request.headers)) for request in at_host)


async def test_what_the_vendor_does_not_have_any_more_is_reported(sim, make_client, settings):
    case = min(sim.store.cases.values(), key=lambda case: (not case.attachments, case.created_at))
    sim.faults.add(Fault.status(404), path=f"/files/{case.attachments[0].filename}", times=2)
    done = await make_client(sim).cases.export(**settings)
    assert done.attachments.missing + done.attachments.files == len(attached(sim, settings.get("limit")))
    assert done.attachments.missing >= 1
    assert len(done.attachments.incomplete) >= 1
    assert " missing from " in str(done)


# ---- on the way ------------------------------------------------------------------------------------------------------


async def test_progress_tells_how_many_files_are_there(sim, make_client, settings):
    told = []
    done = await make_client(sim).cases.export(**settings, on_progress=told.append)
    files = [progress.files for progress in told]
    assert files == sorted(files)
    assert files[-1] == done.attachments.files
    assert len(set(files)) > 2
    assert (told[-1].cases, told[-1].size) == (done.cases, done.size)


async def test_the_export_appears_after_its_files(sim, make_client, settings, tmp_path):
    slow = sim.faults.add(Fault.delay(1e9), path="/files/*", nth=20)
    export = asyncio.create_task(make_client(sim).cases.export(**settings))
    await until(lambda: slow.fired)
    # All but the one that hangs, since there is room for more beside it.
    await until(lambda: len(downloaded(sim)) == len(attached(sim, settings.get("limit"))))
    assert not (tmp_path / settings["to"]).exists()
    export.cancel()
    with pytest.raises(asyncio.CancelledError):
        await export
    assert not (tmp_path / settings["to"]).exists()
    assert not (tmp_path / "files" / ".persona-cases-partial").exists()


async def test_a_file_that_fails_ends_the_export_and_leaves_the_old_one(sim, make_client, settings, tmp_path):
    path = tmp_path / settings["to"]
    path.write_bytes(b"old")
    sim.faults.add(Fault.status(503), path="/files/*", nth=12)
    with pytest.raises(ServerError):
        await make_client(sim, retry=IMPATIENT).cases.export(**settings)
    assert path.read_bytes() == b"old"
    assert on_disk(tmp_path / "files").items() <= attached(sim).items()


async def test_progress_to_a_sink_tells_of_files_too(sim, make_client, tmp_path):
    told = []
    await make_client(sim).cases.export(to=Nowhere(), on_progress=told.append, attachments=tmp_path / "files")
    assert (told[-1].cases, told[-1].files) == (260, len(attached(sim)))


async def test_a_sink_is_discarded_if_a_file_fails(sim, make_client, tmp_path):
    sink = Nowhere()
    sim.faults.add(Fault.status(503), path="/files/*", nth=12)
    with pytest.raises(ServerError):
        await make_client(sim, retry=IMPATIENT).cases.export(to=sink, attachments=tmp_path / "files")
    assert sink.ended == ["discard"]


# ---- going on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["/files/*", "/cases*"])
@pytest.mark.parametrize("settings", ["ranges", "ranges, parquet", "fresh"], indirect=True)
async def test_a_failed_run_is_gone_on_with_and_nothing_is_downloaded_twice(
    sim, make_client, settings, failing, tmp_path
):
    expected = attached(sim)
    sim.faults.add(Fault.status(503), path=failing, nth=4)
    with pytest.raises(ServerError):
        await make_client(sim, retry=IMPATIENT).cases.export(**settings)
    sim.faults.clear()
    kept, before = on_disk(tmp_path / "files"), len(sim.requests)
    assert kept.items() <= expected.items()
    done = await make_client(sim).cases.export(**settings)
    assert done.resumed
    assert done.cases == 260
    assert done.attachments == AttachmentReport(
        files=len(expected) - len(kept),
        requests=len(expected) - len(kept),
        there=len(kept),
        size=sum(map(len, expected.values())) - sum(map(len, kept.values())),
    )
    assert len([request for request in sim.requests[before:] if not request.in_api]) == done.attachments.files
    assert on_disk(tmp_path / "files") == expected


@pytest.mark.parametrize("settings", ["limit", "sort, csv"], indirect=True)
async def test_a_walk_in_order_starts_anew_but_does_not_download_again(sim, make_client, settings, tmp_path):
    expected = attached(sim, settings.get("limit"))
    sim.faults.add(Fault.status(503), path="/files/*", nth=15)
    with pytest.raises(ServerError):
        await make_client(sim, retry=IMPATIENT).cases.export(**settings)
    sim.faults.clear()
    kept = on_disk(tmp_path / "files")
    assert kept
    done = await make_client(sim).cases.export(**settings)
    assert not done.resumed
    assert (done.attachments.there, done.attachments.files) == (len(kept), len(expected) - len(kept))
    assert on_disk(tmp_path / "files") == expected


async def test_addresses_that_expired_before_an_export_was_gone_on_with_are_renewed(sim, make_client, tmp_path, clock):
    expected, settings = attached(sim), {"to": tmp_path / "x.jsonl", "attachments": tmp_path / "files"}
    sim.faults.add(Fault.status(503), path="/files/*", nth=1)
    with pytest.raises(ServerError):
        await make_client(sim, retry=IMPATIENT).cases.export(**settings)
    sim.faults.clear()
    clock.advance(SEVEN_HOURS)
    sim.requests.clear()
    done = await make_client(sim).cases.export(**settings)
    assert on_disk(tmp_path / "files") == expected
    # No page is fetched again; each case that has files is asked for once.
    looks = [request.path for request in sim.requests if request.in_api]
    assert len(looks) == len(set(looks)) == done.requests
    assert done.pages == 0


async def test_files_may_be_asked_for_only_when_the_cases_are_there(sim, make_client, tmp_path):
    path, persona = tmp_path / "x.jsonl", make_client(sim, retry=IMPATIENT)
    sim.faults.add(Fault.status(500), path="/cases/search", nth=3)
    with pytest.raises(ServerError):
        await persona.cases.export(to=path)
    sim.faults.clear()
    done = await persona.cases.export(to=path, attachments=tmp_path / "files")
    assert done.resumed
    assert on_disk(tmp_path / "files") == attached(sim)


async def test_a_directory_that_can_not_be_written_is_refused_before_the_first_request(
    sim, make_client, settings, tmp_path
):
    (tmp_path / "files").write_text("mine")
    with pytest.raises(InvalidArgumentError, match="cannot write .*/files"):
        await make_client(sim).cases.export(**settings)
    assert not sim.requests
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


@pytest.mark.parametrize("consistency", ["search", "fresh"])
async def test_a_command_that_is_killed_and_run_again_has_whole_files_and_all_cases(sim, tmp_path, consistency):
    expected, files = attached(sim), tmp_path / "files"
    command = ["-m", "persona_cases", "export", "-o", "x.jsonl", "--attachments", "files"]

    async def start():
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *command, "--consistency", consistency),
            env={**os.environ, "PERSONA_API_KEY": sim.api_key, "PERSONA_BASE_URL": sim.base_url},
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )

    sim.faults.add(Fault.drip(chunk=50, pause=1e9), path="/files/*", nth=range(10, 100))
    process = await start()
    try:
        # Eight that hang, so nine are done.
        await until(lambda: len(downloaded(sim)) == 17)
    finally:
        process.kill()
        await process.wait()
    whole = {name: each for name, each in on_disk(files).items() if not name.startswith(".persona-cases-partial")}
    assert whole.items() <= expected.items()
    assert len(whole) == 9
    assert not (tmp_path / "x.jsonl").exists()

    sim.faults.clear()
    sim.requests.clear()
    assert await (await start()).wait() == 0
    assert on_disk(files) == expected
    assert len(downloaded(sim)) == len(expected) - 9
    assert len((tmp_path / "x.jsonl").read_bytes().splitlines()) == 260
    assert {path.name for path in tmp_path.iterdir()} == {"x.jsonl", "files"}
    # Nothing but files was missing.
    assert not [request for request in sim.requests if request.in_api]


async def test_errors_about_files_tell_no_name(sim, make_client, settings, caplog):
    sim.faults.add(Fault.status(403), path="/files/*", nth=range(5, 100))
    with pytest.raises(PersonaError) as caught:
        await make_client(sim).cases.export(**settings)
    said = "\n".join([str(caught.value), repr(caught.value), *caught.value.__notes__, caplog.text])
    assert not [name for name in attached(sim) if name.partition("/")[2] in said]
