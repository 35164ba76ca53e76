"""The attachments of exported cases: all of them, whole, once, and no more at a time than asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial

import pytest
from attached_files import SEVEN_HOURS, on_disk, simulated

from persona_cases import (
    ClientStateError,
    DecodeError,
    InvalidArgumentError,
    PermissionDeniedError,
    Q,
    RetryPolicy,
    ServerError,
)
from persona_cases.export import AttachmentReport
from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads
from persona_cases.export.progress import RunProgress
from persona_cases.testing import Fault, ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def sim(clock):
    async with simulated(120, clock) as simulator:
        yield simulator


@pytest.fixture
def downloads(sim, make_client, tmp_path):
    def make(retry=None, **settings):
        client = make_client(sim) if retry is None else make_client(sim, retry=retry)
        load = partial(client.cases.get, only=["attachments"])
        return AttachmentDownloads(tmp_path / "files", load=load, fetch=client.cases.download, **settings)

    return make


@pytest.fixture
def lines_of(sim, make_client):
    async def walk(where=None):
        return [case.raw_line for case in await make_client(sim).cases.search(where).collect()]

    return walk


class Lines:
    """Cases that wait to have their files downloaded; a few are read at a time."""

    def __init__(self, lines):
        self.lines = lines
        self.read = 0

    def batches(self):
        for start in range(0, len(self.lines), 10):
            self.read = start
            yield self.lines[start : start + 10]


def in_store(sim):
    """What ought to be on the disk, if no two files of a case have one name."""
    return {
        f"{case.id}/{file.filename}": sim.store.file_content(file)
        for case in sim.store.cases.values()
        for file in case.attachments
    }


def file_requests(sim):
    return [request for request in sim.requests if not request.in_api]


def with_files(sim, *files):
    return sim.store.create_case("KYC", attachments=tuple(sim.store.upload(*file) for file in files))


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


async def run(downloads, lines):
    return await save_all_of(downloads, Lines(lines))


# ---- what is downloaded ----------------------------------------------------------------------------------------------


async def test_all_files_of_all_cases_arrive_and_only_once(sim, downloads, lines_of, tmp_path):
    lines, expected = await lines_of(), in_store(sim)
    told = []
    report = await run(downloads(progress=RunProgress(on_progress=told.append)), lines)
    assert on_disk(tmp_path / "files") == expected
    assert report == AttachmentReport(
        files=len(expected), requests=len(expected), size=sum(map(len, expected.values()))
    )
    assert [each.files for each in told] == list(range(1, len(expected) + 1))
    assert len(file_requests(sim)) == len(expected) > 20

    sim.requests.clear()
    assert await run(downloads(), lines) == AttachmentReport(there=len(expected))
    assert len(sim.requests) == 0
    assert on_disk(tmp_path / "files") == expected


async def test_pages_are_passed_on_as_they_are(sim, downloads, make_client, tmp_path):
    pager = make_client(sim).cases.search(None, page_size=30)
    pages = [page.items async for page in pager.pages()]
    async with downloads() as under_way:
        passed = [page async for page in under_way.beside(pager.pages())]
        # Complete at the end of the pages, and not only at the end of the context.
        assert on_disk(tmp_path / "files") == {**in_store(sim), ".persona-cases-partial/lock": b""}
    assert [[case.id for case in page] for page in passed] == [[case.id for case in page] for page in pages]
    assert under_way.report.files == len(in_store(sim))


async def test_cases_without_attachments_have_no_directory(sim, downloads, make_client, tmp_path):
    cases = await make_client(sim).cases.search(only=["status"]).collect()
    assert await run(downloads(), [case.raw_line for case in cases]) == AttachmentReport()
    bare = [case.raw_line for case in await make_client(sim).cases.list().collect() if not case.attachments]
    assert await run(downloads(), bare) == AttachmentReport()
    assert list((tmp_path / "files").iterdir()) == []
    assert not file_requests(sim)


async def test_the_file_host_gets_no_key(sim, downloads, lines_of, clock):
    lines = await lines_of()
    clock.advance(SEVEN_HOURS)
    await run(downloads(), lines)
    assert all(request.authorized for request in sim.requests if request.in_api)
    at_host = [request for request in sim.requests if not request.in_api]
    assert len(at_host) > 20
    assert not any(request.authorized or sim.api_key in repr(dict(request.headers)) for request in at_host)


async def test_names_that_could_do_harm_become_names_of_files(sim, downloads, lines_of, tmp_path):
    names = ["../../evil.pdf", "/etc/passwd", "a\x1b[2J.pdf", "..", "CON", "x" * 250 + ".pdf"]
    case = with_files(sim, *((name, name.encode()) for name in names))
    report = await run(downloads(), await lines_of(Q.created_at.gte(clock_start())))
    assert report.files == len(names)
    found = on_disk(tmp_path)
    assert sorted(found.values()) == sorted(name.encode() for name in names)
    assert {path.rpartition("/")[0] for path in found} == {f"files/{case.id}"}


async def test_files_of_one_name_all_arrive_each_under_a_name_of_its_own(sim, downloads, lines_of, tmp_path, clock):
    contents = [b"one", b"two", b"three"]
    case = with_files(sim, *(("scan.pdf", content) for content in contents))
    expected = {f"{case.id}/{name}": each for name, each in zip(numbered("scan", 3), contents, strict=True)}
    lines = await lines_of(Q.created_at.gte(clock_start()))
    # The addresses are gone, and name and size alone do not tell the first from the second.
    clock.advance(SEVEN_HOURS)
    await run(downloads(), lines)
    assert on_disk(tmp_path / "files") == expected
    (tmp_path / "files" / case.id / "scan (2).pdf").unlink()
    assert (await run(downloads(), lines)).there == 2
    assert on_disk(tmp_path / "files") == expected


async def test_a_file_of_another_size_is_replaced(sim, downloads, lines_of, tmp_path):
    lines, expected = await lines_of(), in_store(sim)
    path = tmp_path / "files" / next(iter(expected))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert (await run(downloads(), lines)).there == 0
    assert on_disk(tmp_path / "files") == expected


async def test_an_unknown_size_is_that_of_the_file_which_is_there(sim, downloads, lines_of, tmp_path):
    case = with_files(sim, ("a.pdf", b"content"))
    lines = await lines_of(Q.created_at.gte(clock_start()))
    lines = [line.replace(b'"byte_size":7', b'"byte_size":null') for line in lines]
    assert b'"byte_size":null' in lines[0]
    assert (await run(downloads(), lines)).files == 1
    assert (await run(downloads(), lines)).there == 1
    assert on_disk(tmp_path / "files") == {f"{case.id}/a.pdf": b"content"}


# ---- addresses that do not work any more -----------------------------------------------------------------------------


async def test_addresses_that_have_expired_are_renewed_by_one_look_at_each_case(
    sim, downloads, lines_of, tmp_path, clock
):
    lines, expected = await lines_of(), in_store(sim)
    clock.advance(SEVEN_HOURS)
    sim.requests.clear()
    report = await run(downloads(), lines)
    assert on_disk(tmp_path / "files") == expected
    asked = len([request for request in sim.requests if not request.in_api])
    assert report == AttachmentReport(files=len(expected), requests=asked, size=sum(map(len, expected.values())))
    looks = [request.path for request in sim.requests if request.in_api]
    assert len(looks) == len(set(looks)) == len({name.partition("/")[0] for name in expected}) < len(expected)


async def test_what_was_redacted_or_removed_meanwhile_is_counted_as_missing(sim, downloads, lines_of, tmp_path, clock):
    redacted, removed, kept = (with_files(sim, (f"{n}.pdf", b"1"), (f"{n}.png", b"2")) for n in "abc")
    lines = await lines_of(Q.created_at.gte(clock_start()))
    sim.store.redact_case(redacted.id)
    sim.store.remove_case(removed.id)
    # The host may not have heard of it as long as the address is a good one.
    clock.advance(SEVEN_HOURS)
    report = await run(downloads(concurrency=1), lines)
    assert (report.files, report.there, report.missing) == (2, 0, 4)
    assert set(report.incomplete) == {redacted.id, removed.id}
    assert len(report.incomplete) == 2
    assert {path.rpartition("/")[0] for path in on_disk(tmp_path / "files")} == {kept.id}


async def test_a_file_that_only_the_host_has_lost_is_missing(sim, downloads, lines_of):
    case = with_files(sim, ("a.pdf", b"1"), ("b.pdf", b"2"))
    sim.faults.add(Fault.status(404), path="/files/a.pdf")
    report = await run(downloads(), await lines_of(Q.created_at.gte(clock_start())))
    assert report == AttachmentReport(files=1, missing=1, size=1, requests=3, incomplete=(case.id,))


async def test_a_file_without_an_address_is_asked_for(sim, downloads, lines_of, tmp_path):
    with_files(sim, ("a.pdf", b"1"))
    (line,) = await lines_of(Q.created_at.gte(clock_start()))
    start, _, rest = line.partition(b'"url":"')
    assert rest
    nowhere = start + b'"url":null' + rest[rest.index(b'"') + 1 :]
    assert (await run(downloads(), [nowhere])).files == 1

    (tmp_path / "files").rename(tmp_path / "before")
    sim.faults.add(Fault.rewrite(without_addresses), path="/cases/*")
    assert (await run(downloads(), [nowhere])).missing == 1


async def test_a_new_address_that_is_refused_as_well_is_an_error(sim, downloads, lines_of):
    case = with_files(sim, ("a.pdf", b"1"))
    sim.faults.add(Fault.status(403), path="/files/*")
    with pytest.raises(PermissionDeniedError) as caught:
        await run(downloads(), await lines_of(Q.created_at.gte(clock_start())))
    assert caught.value.__notes__ == [f"while the attachments of {case.id} were downloaded"]


# ---- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_files_are_under_way_than_allowed_and_reading_waits(sim, downloads, lines_of, concurrency):
    sim.faults.add(Fault.delay(1e9), path="/files/*")
    source = Lines(await lines_of())
    async with asyncio.timeout(60):
        task = asyncio.create_task(save_all_of(downloads(concurrency=concurrency), source))
        await until(lambda: len(file_requests(sim)) == concurrency)
        # Time enough for others to come, if they could.
        await asyncio.sleep(0.1)
        assert len(file_requests(sim)) == concurrency
        assert source.read < len(source.lines) // 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_so_many_files_are_really_under_way_at_a_time(sim, downloads, lines_of, tmp_path):
    slow = sim.faults.add(Fault.delay(1e9), path="/files/*")
    lines = await lines_of()
    task = asyncio.create_task(run(downloads(concurrency=5), lines))
    await until(lambda: slow.fired == 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sim.faults.clear()
    assert (await run(downloads(concurrency=5), lines)).files == len(in_store(sim))


@pytest.mark.parametrize("concurrency", [0, -1, True, "8", 2.0])
def test_a_concurrency_that_can_not_work_is_refused(downloads, concurrency):
    with pytest.raises(InvalidArgumentError, match="concurrency must be a whole number"):
        downloads(concurrency=concurrency)


# ---- ends before the end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
async def test_a_cancelled_run_leaves_whole_files_alone_and_the_next_one_goes_on(
    sim, downloads, lines_of, tmp_path, times
):
    lines, expected = await lines_of(), in_store(sim)
    sim.faults.add(Fault.drip(chunk=50, pause=1e9), path="/files/*", nth=range(10, 100))
    task = asyncio.create_task(run(downloads(concurrency=4), lines))
    await until(lambda: len(file_requests(sim)) == 13)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()} | server_tasks()
    found = on_disk(tmp_path / "files")
    assert found.items() <= expected.items()
    assert len(found) == 9

    sim.faults.clear()
    report = await run(downloads(), lines)
    assert (report.there, report.files) == (9, len(expected) - 9)
    assert on_disk(tmp_path / "files") == expected


async def test_a_consumer_that_fails_ends_the_downloads(sim, downloads, make_client, tmp_path):
    sim.faults.add(Fault.delay(1e9), path="/files/*")
    under_way = downloads(concurrency=50)
    pages = under_way.beside(make_client(sim).cases.search(page_size=30).pages())
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(30), under_way:
            await anext(pages)
            await until(lambda: file_requests(sim))
            raise ZeroDivisionError
    await pages.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()} | server_tasks()
    assert on_disk(tmp_path / "files") == {}
    assert list((tmp_path / "files").iterdir()) == []


async def test_an_error_ends_the_others_and_another_run_goes_on(sim, downloads, lines_of, tmp_path):
    lines, expected = await lines_of(), in_store(sim)
    sim.faults.add(Fault.status(503), path="/files/*", nth=12)
    sim.faults.add(Fault.delay(1e9), path="/files/*", nth=range(13, 100))
    async with asyncio.timeout(60):
        with pytest.raises(ServerError):
            await run(downloads(RetryPolicy(attempts=1)), lines)
    found = on_disk(tmp_path / "files")
    assert found.items() <= expected.items()
    sim.faults.clear()
    assert (await run(downloads(), lines)).there == len(found)
    assert on_disk(tmp_path / "files") == expected


async def test_a_torn_file_is_fetched_again(sim, downloads, lines_of, tmp_path):
    torn = sim.faults.add(Fault.torn(after=100), path="/files/*", nth=range(1, 9))
    await run(downloads(), await lines_of())
    assert torn.fired == 8
    assert on_disk(tmp_path / "files") == in_store(sim)


async def test_a_failure_comes_up_though_no_file_follows(sim, downloads, make_client):
    with_files(sim, ("a.pdf", b"1"))
    sim.faults.add(Fault.status(403), path="/files/*")
    cases = [case for case in await make_client(sim).cases.list().collect() if not case.attachments]
    (first,) = await make_client(sim).cases.search(Q.created_at.gte(clock_start())).collect()
    passed = 0

    async def pages():
        yield [first]
        while True:
            yield cases[:1]

    async with asyncio.timeout(30):
        with pytest.raises(PermissionDeniedError):
            async with downloads() as under_way:
                async for _ in under_way.beside(pages()):
                    passed += 1
                    await asyncio.sleep(0.001)
    assert passed


async def test_something_in_the_way_is_an_error_that_tells_no_name(sim, downloads, lines_of, tmp_path):
    case = with_files(sim, ("Jane Roe.pdf", b"1"))
    (tmp_path / "files" / case.id / "Jane Roe.pdf").mkdir(parents=True)
    with pytest.raises(OSError, match=case.id) as caught:
        await run(downloads(), await lines_of(Q.created_at.gte(clock_start())))
    assert "Jane" not in str(caught.value) + repr(caught.value)
    assert caught.value.__context__ is None


async def test_a_line_that_is_no_case_is_refused(downloads):
    with pytest.raises(DecodeError):
        await run(downloads(), [b'{"id": 5}'])


# ---- the directory ---------------------------------------------------------------------------------------------------


async def test_a_directory_that_can_not_be_made_is_refused(downloads, tmp_path):
    (tmp_path / "files").write_text("mine")
    with pytest.raises(InvalidArgumentError, match="cannot write .*/files"):
        await run(downloads(), [])
    assert (tmp_path / "files").read_text() == "mine"


async def test_two_exports_to_one_directory_at_a_time_are_refused(downloads):
    async with downloads():
        with pytest.raises(ClientStateError, match="another export is downloading to"):
            await run(downloads(), [])
    assert await run(downloads(), []) == AttachmentReport()


async def test_what_is_not_of_the_export_stays(sim, downloads, lines_of, tmp_path):
    case = with_files(sim, ("a.pdf", b"1"))
    for path in (tmp_path / "files" / "mine.txt", tmp_path / "files" / case.id / "notes.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    await run(downloads(), await lines_of(Q.created_at.gte(clock_start())))
    assert on_disk(tmp_path / "files") == {
        "mine.txt": b"mine",
        f"{case.id}/notes.txt": b"mine",
        f"{case.id}/a.pdf": b"1",
    }


PROGRAM = """
import asyncio, sys
from functools import partial
from persona_cases import PersonaClient
from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads

class Lines:
    def batches(self):
        yield [line.rstrip(b"\\n") for line in open(sys.argv[1], "rb")]

async def main():
    async with PersonaClient(sys.argv[3], base_url=sys.argv[4]) as persona:
        load = partial(persona.cases.get, only=["attachments"])
        async with AttachmentDownloads(sys.argv[2], load=load, fetch=persona.cases.download) as downloads:
            await downloads.save_all(Lines())

asyncio.run(main())
"""


async def test_a_process_that_is_killed_leaves_whole_files_and_the_next_one_goes_on(sim, downloads, lines_of, tmp_path):
    lines, expected = await lines_of(), in_store(sim)
    (tmp_path / "cases.jsonl").write_bytes(b"\n".join(lines))
    sim.faults.add(Fault.drip(chunk=50, pause=1e9), path="/files/*", nth=range(10, 100))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, tmp_path / "cases.jsonl", tmp_path / "files", sim.api_key, sim.base_url),
        stderr=subprocess.DEVNULL,
    )
    try:
        # Eight that hang, so nine are done.
        await until(lambda: len(file_requests(sim)) == 17)
    finally:
        process.kill()
        await process.wait()
    assert len(list((tmp_path / "files").glob(".persona-cases-partial/.*.part"))) == 8
    whole = on_disk(tmp_path / "files").items()
    found = {name: each for name, each in whole if not name.startswith(".persona-cases-partial")}
    assert found.items() <= expected.items()
    assert len(found) == 9
    sim.faults.clear()
    assert (await run(downloads(), lines)).there == len(found)
    assert on_disk(tmp_path / "files") == expected


# ---- shared ----------------------------------------------------------------------------------------------------------


def clock_start():
    """Cases that a test adds are made when the clock starts, and those of the factory before that."""
    return ManualClock().now()


def numbered(stem, count):
    return [f"{stem}.pdf", *(f"{stem} ({number}).pdf" for number in range(2, count + 1))]


def without_addresses(document):
    for file in document["data"]["attributes"]["attachments"]:
        file["url"] = None
    return document


async def save_all_of(downloads, source):
    async with downloads:
        await downloads.save_all(source)
    return downloads.report


def server_tasks():
    """The tasks of the simulator's own connections."""
    return {task for task in asyncio.all_tasks() if "aiohttp.web" in repr(task) or "RequestHandler" in repr(task)}
