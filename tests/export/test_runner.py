"""Running an export: whole or not at all, and in little memory."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import sqlite3
import threading
import time
import tracemalloc

import attrs
import msgspec
import pytest
from lines_of_cases import Lines, LinesToFile, columns_of, make_line
from test_format_files import FORMATS, needs

from persona_cases import DecodeError, ExportProgress
from persona_cases.export.case_source import CaseBuffer
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.survey import Survey
from persona_cases.export.formats.target import Target
from persona_cases.export.progress import RunProgress
from persona_cases.export.runner import FileExport, export_to_sink
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.threads import off_loop


@attrs.frozen
class Item:
    raw_line: bytes


async def pages_of(*sizes, broken=False):
    number = 0
    for size in sizes:
        yield [Item(make_line(number + each, fields={"n": number + each})) for each in range(size)]
        number += size
    if broken:
        yield [Item(b'{"type":"case","id":5}')]


class Recorder:
    """A sink that says what was done with it; it may fail at one of its methods."""

    def __init__(self, failing=None):
        self.calls, self.ids, self.failing = [], [], failing

    def write(self, cases):
        self.ids += [msgspec.json.decode(case)["id"] for case in cases]
        self._called("write")

    def commit(self):
        self._called("commit")

    def discard(self):
        self._called("discard")

    def _called(self, name):
        self.calls.append(name)
        assert threading.current_thread() is not threading.main_thread()
        if name == self.failing:
            raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk:
    """An output without room for anything, or for the end alone."""

    def __init__(self, failing):
        self.size, self.calls, self.failing = 0, [], failing

    def write(self, data):
        self._called("write")

    def commit(self):
        self._called("commit")

    def discard(self):
        self.calls.append("discard")

    def _called(self, name):
        self.calls.append(name)
        if name == self.failing:
            raise OSError(errno.ENOSPC, "No space left on device")


def file_export(path, choice=None):
    return FileExport(
        target=Target.of(path),
        output=AtomicFile(path),
        choice=choice or ColumnChoice(),
        buffer_directory=path.parent,
    )


async def test_a_sink_of_ones_own_gets_all_cases_in_order():
    sink, reports = Recorder(), []
    progress = RunProgress(on_progress=reports.append)
    await export_to_sink(pages_of(3, 0, 2), sink, progress)
    done = progress.so_far
    assert sink.ids == [f"case_{number:06}" for number in range(5)]
    assert sink.calls == ["write", "write", "write", "commit"]
    assert reports == [
        ExportProgress(cases=3, pages=1, size=reports[0].size),
        ExportProgress(cases=3, pages=2, size=reports[0].size),
        done,
    ]
    assert done.size == sum(len(make_line(number, fields={"n": number})) + 1 for number in range(5))


@pytest.mark.parametrize("failing", ["write", "commit"])
async def test_a_sink_that_fails_is_discarded(failing):
    sink = Recorder(failing)
    with pytest.raises(OSError, match="No space left"):
        await export_to_sink(pages_of(2, 2), sink, RunProgress())
    assert sink.calls[-2:] == [failing, "discard"]


async def test_a_sink_is_discarded_if_progress_can_not_be_told():
    sink = Recorder()
    with pytest.raises(ZeroDivisionError):
        await export_to_sink(pages_of(2, 2), sink, RunProgress(on_progress=lambda _: 1 / 0))
    assert sink.calls == ["write", "discard"]


@pytest.mark.parametrize("name", FORMATS)
async def test_the_size_in_the_end_is_that_of_the_file(tmp_path, name):
    needs(name)
    path, reports = tmp_path / name, []
    progress = RunProgress(on_progress=reports.append)
    await file_export(path).run(pages_of(100, 30), progress)
    done = progress.so_far
    assert done == reports[-1]
    assert attrs.evolve(done, empty_columns=()) == ExportProgress(cases=130, pages=2, size=path.stat().st_size)
    assert ("resolution" in done.empty_columns) == (".jsonl" not in name)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", [name for name in FORMATS if "jsonl" not in name])
async def test_a_line_that_is_no_case_leaves_nothing_behind(tmp_path, name):
    needs(name)
    path = tmp_path / name
    path.write_bytes(b"before")
    with pytest.raises(DecodeError, match="line 6: .* at /id"):
        await file_export(path).run(pages_of(3, 2, broken=True), RunProgress())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [(name, b"before")]


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv"])
@pytest.mark.parametrize("failing", ["write", "commit"])
async def test_a_full_disk_ends_an_export_and_its_output(name, failing):
    output = FullDisk(failing)
    with pytest.raises(OSError, match="No space left"):
        await FileExport(target=Target.of(name), output=output).run(pages_of(3, 3), RunProgress())
    assert "discard" in output.calls
    assert failing == "commit" or "commit" not in output.calls


async def test_a_full_disk_under_a_database_looks_as_it_does_elsewhere(tmp_path, monkeypatch):
    connect = sqlite3.connect

    def cramped(*args, **settings):
        database = connect(*args, **settings)
        database.execute("PRAGMA max_page_count = 8")
        return database

    monkeypatch.setattr(sqlite3, "connect", cramped)
    sink = LinesToFile(Target.of("cases.db"), AtomicFile(tmp_path / "cases.db"), columns_of([make_line()]))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as raised:
        sink.write([make_line(number) for number in range(1000)])
    assert raised.value.errno == errno.ENOSPC
    sink.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
async def test_a_cancelled_export_leaves_nothing_behind(tmp_path, name):
    needs(name)

    async def endless():
        async for page in pages_of(*[10] * 5):
            yield page
        fetching.set()
        await asyncio.Event().wait()

    fetching = asyncio.Event()
    task = asyncio.create_task(file_export(tmp_path / name).run(endless(), RunProgress()))
    await fetching.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_an_export_that_is_cancelled_while_it_writes_ends_after_the_thread():
    begun, may_end = threading.Event(), threading.Event()

    class Slow(Recorder):
        def write(self, cases):
            begun.set()
            assert may_end.wait(30)
            super().write(cases)

    sink = Slow()
    task = asyncio.create_task(export_to_sink(pages_of(2, 2), sink, RunProgress()))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sink.calls == ["write", "discard"]


async def test_what_was_committed_while_the_export_was_cancelled_stays():
    begun = threading.Event()

    class Slow(Recorder):
        def commit(self):
            begun.set()
            time.sleep(0.05)
            super().commit()

    sink = Slow()
    task = asyncio.create_task(export_to_sink(pages_of(1), sink, RunProgress()))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sink.calls == ["write", "commit"]


async def test_a_failure_in_the_thread_of_a_cancelled_task_is_swallowed():
    begun = threading.Event()

    def fail():
        begun.set()
        time.sleep(0.05)
        raise OSError("nobody hears this")

    task = asyncio.create_task(off_loop(fail))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_is_buffered_can_be_read_twice(tmp_path):
    buffer = CaseBuffer(tmp_path)
    lines = [make_line(number, fields={"text": "x" * 1000}) for number in range(2500)]
    for start in range(0, 2500, 100):
        buffer.write(lines[start : start + 100])
    assert buffer.size == sum(map(len, lines)) + 2500
    for _ in range(2):
        batches = list(buffer.batches())
        assert [line for batch in batches for line in batch] == lines
        assert len(batches) > 1
    buffer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_any_source_that_can_be_read_twice_makes_the_same_table(tmp_path, size):
    lines = [make_line(number, fields={f"f{number % 5}": number}) for number in range(40)]
    path = tmp_path / "cases.csv"
    progress = RunProgress()
    await file_export(path).write_from(Lines(lines, size), progress)
    assert progress.so_far.size == path.stat().st_size
    header, *rows = path.read_text().splitlines()
    assert header.split(",")[-5:] == [f"fields.f{number}" for number in range(5)]
    assert [row.split(",", 1)[0] for row in rows] == [f"case_{number:06}" for number in range(40)]


async def test_json_lines_are_written_from_a_source_too(tmp_path):
    lines = [make_line(number) for number in range(40)]
    path = tmp_path / "cases.jsonl.gz"
    await file_export(path).write_from(Lines(lines), RunProgress())
    assert gzip.decompress(path.read_bytes()).splitlines() == lines


async def test_a_source_that_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(DecodeError, match="line 2"):
        await file_export(tmp_path / "cases.csv").write_from(Lines([make_line(), b"{}"]), RunProgress())
    assert list(tmp_path.iterdir()) == []


def peak(write, cases):
    tracemalloc.start()
    try:
        write(cases)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def stays_below(limit, write, cases):
    """What other threads of the process take meanwhile counts too. What the cases take is there each time."""
    return any(peak(write, cases) < limit for _ in range(3))


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.sqlite", "x.csv.gz"])
def test_memory_does_not_grow_with_the_cases(tmp_path, name):
    columns = columns_of([make_line(fields={"n": 1, "text": "x"})])

    def write(cases):
        sink = LinesToFile(Target.of(name), AtomicFile(tmp_path / name), columns)
        for start in range(0, cases, 100):
            sink.write([make_line(start + each, fields={"n": each, "text": "x" * 500}) for each in range(100)])
        sink.commit()

    write(100)
    assert stays_below(1.2 * peak(write, 500) + 100_000, write, 2_000)


def test_memory_of_parquet_is_that_of_a_row_group(tmp_path):
    needs("x.parquet")
    columns = columns_of([], ["status"])

    def write(cases):
        sink = LinesToFile(Target.of("x.parquet"), AtomicFile(tmp_path / "x.parquet"), columns)
        for start in range(0, cases, 1000):
            sink.write([make_line(start + each) for each in range(1000)])
        sink.commit()

    write(100)
    assert stays_below(1.5 * peak(write, 12_000) + 500_000, write, 40_000)


def test_a_survey_does_not_grow_with_the_cases():
    def survey(cases):
        seen = Survey()
        for start in range(0, cases, 100):
            seen.observe(
                [make_line(number, fields={"n": number, "text": str(number)}) for number in range(start, start + 100)]
            )

    survey(100)
    assert stays_below(2 * peak(survey, 500) + 100_000, survey, 4_000)


async def test_a_database_is_complete_once_it_has_its_name(tmp_path):
    path = tmp_path / "cases.db"
    await file_export(path).run(pages_of(100, 20), RunProgress())
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute('SELECT count(*), sum("fields.n") FROM cases').fetchone() == (120, sum(range(120)))
    database.close()


def test_a_thread_outlives_a_loop_that_cancels_all_tasks():
    seen, begun, go_on = [], threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait(timeout=600)
        seen.append("thread")

    async def wait():
        try:
            await off_loop(work)
        finally:
            seen.append("waited for it")

    async def main():
        task = asyncio.ensure_future(wait())
        while not begun.is_set():
            await asyncio.sleep(0.001)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert not task.done()

    asyncio.run(main())
    assert seen == ["thread", "waited for it"]
