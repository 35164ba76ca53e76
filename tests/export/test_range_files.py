"""The files of the ranges: what counts in them after a crash, and how they become the output."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from spooling import fetchers_of, filled, lines_of, lose_power, put_together
from worlds import YEAR, World, line, moments_of

from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.export.spool import range_file
from persona_cases.export.spool import spool as spools
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.models.decoding.raw_page import RawPage

ASKED = Description({"where": "all"}, "1.0")
OTHER = Description({"where": "some"}, "1.0")
PLAIN = moments_of([(0, YEAR, 830)])
# More at one moment than are told apart by their ids, and moments of which a page has several.
CROWD = moments_of([(0, YEAR, 250), (YEAR // 3, 0, 1_150), (YEAR // 2, 40, 200)])


async def export(world, output, fetchers=1, **settings):
    """Export to a file, as clients do."""
    with Spool(output, ASKED, **settings) as spool:
        await collect(world, spool, fetchers=fetchers_of(fetchers))
        put_together(spool)
        spool.remove()


def text_of(world):
    return b"".join(each + b"\n" for each in world.lines)


# ---- killed at every call of the system ------------------------------------------------------------------------------


@attrs.define
class Kills:
    """What is in a directory before and after each call of the system that changes a file, and half way through writes.

    Attributes:
        place: the directory.
        copies: where they are kept.
        fetched: tells how many pages were fetched so far.
        left: what a kill would have left, and how many pages were fetched before it.
    """

    place: os.PathLike[str]
    copies: os.PathLike[str]
    fetched: Callable[[], int]
    left: list[tuple[os.PathLike[str], int]] = attrs.field(factory=list)
    _last: object = None
    # No other thread writes while this one looks.
    _lock: threading.RLock = attrs.field(factory=threading.RLock)

    def happen(self):
        files = sorted(path for path in self.place.rglob("*") if path.is_file())
        now = [(path, path.stat().st_ino, path.stat().st_size) for path in files]
        if now == self._last:
            return
        self._last = now
        copy, names = self.copies / str(len(self.left)), {}
        for path, number, _ in now:
            target = copy / path.relative_to(self.place)
            target.parent.mkdir(parents=True, exist_ok=True)
            if number in names:
                target.hardlink_to(names[number])
            else:
                names[number] = shutil.copyfile(path, target)
        copy.mkdir(exist_ok=True)
        self.left.append((copy, self.fetched()))

    def around(self, call):
        def called(*args, **settings):
            with self._lock:
                self.happen()
                try:
                    return call(*args, **settings)
                finally:
                    self.happen()

        return called

    def write(self, write):
        def halves(file, data):
            with self._lock:
                self.happen()
                half = write(file, data[: len(data) // 2])
                self.happen()
                return half + write(file, data[half:])

        return halves

    @contextmanager
    def watched(self):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("replace", "link", "unlink", "fsync", "fdatasync"):
                patch.setattr(os, name, self.around(getattr(os, name)))
            patch.setattr(os, "write", self.write(os.write))
            cutting = {"truncate": self.around(io.FileIO.truncate)}
            patch.setattr(io, "FileIO", type("FileIO", (io.FileIO,), cutting))
            yield


async def killed(moments, tmp_path, fetchers):
    world, place, copies = World(moments), tmp_path / "place", tmp_path / "copies"
    place.mkdir()
    kills = Kills(place, copies, lambda: world.requests - world.running)
    with kills.watched():
        await export(world, place / "cases.jsonl", fetchers)
    assert (place / "cases.jsonl").read_bytes() == text_of(world)
    # If not, this shows nothing.
    assert len(kills.left) > 20
    return kills.left, world.requests


@pytest.mark.parametrize("reading", [1 << 18, 700])
@pytest.mark.parametrize("moments", [PLAIN, CROWD], ids=["plain", "crowd"])
async def test_killed_at_any_call_it_fetches_at_most_two_pages_again(tmp_path, monkeypatch, moments, reading):
    left, pages = await killed(moments, tmp_path, 1)
    monkeypatch.setattr(range_file, "_BYTES_AT_ONCE", reading)
    for place, fetched in left[:: 1 if moments is PLAIN else 3]:
        world, output = World(moments), place / "cases.jsonl"
        done = output.exists()
        await export(world, output)
        assert output.read_bytes() == text_of(world)
        assert [*place.iterdir()] == [output]
        # Both ends are looked for again if there is no checkpoint yet.
        assert done or fetched + world.requests <= pages + 2 + (fetched <= 3)


@pytest.mark.parametrize("behind", [b"", bytes(5_000), line(0, 0) + b"\n"])
async def test_without_power_what_is_durable_counts_whatever_is_behind_it(tmp_path, behind):
    left, _ = await killed(CROWD, tmp_path, 3)
    for number, (place, _) in enumerate(left[len(behind) % 7 :: 7]):
        work, world = place / ".cases.jsonl.export", World(CROWD)
        if (work / "checkpoint.jsonl").exists():
            lose_power(work, behind, recent=number % 2 == 0)
        await export(world, place / "cases.jsonl", 3)
        assert (place / "cases.jsonl").read_bytes() == text_of(world)


async def test_killed_at_any_call_and_started_over_it_changes_no_file_that_is_complete(tmp_path):
    left, _ = await killed(PLAIN, tmp_path, 3)
    complete = [place for place, _ in left if (place / "cases.jsonl").exists()]
    for place in complete[::2]:
        output, seen, world = place / "cases.jsonl", place / "seen", World(PLAIN[:120])
        seen.hardlink_to(output)
        await export(world, output, restart=True)
        assert seen.read_bytes() == text_of(World(PLAIN))
        assert output.read_bytes() == text_of(world)
    assert len(complete) > 3


@pytest.mark.parametrize("power", ["stayed", "lost"])
async def test_killed_before_it_is_tidied_up_it_changes_no_file_that_is_complete(tmp_path, power):
    left, _ = await killed(PLAIN, tmp_path, 3)
    unfinished = [place for place, _ in left if len([*place.glob("*cases.jsonl*")]) > 1]
    unfinished = [place for place in unfinished if (place / "cases.jsonl").exists()]
    shared = 0
    for place in unfinished:
        output, seen, world = place / "cases.jsonl", place / "seen", World(PLAIN)
        first = place / ".cases.jsonl.export" / "cases-0.jsonl"
        shared += first.exists() and first.samefile(output)
        if power == "lost" and (first.parent / "checkpoint.jsonl").exists():
            lose_power(first.parent, recent=False)
        seen.hardlink_to(output)
        before = seen.stat().st_mtime_ns
        await export(world, output)
        assert (seen.stat().st_mtime_ns, seen.read_bytes()) == (before, text_of(world))
        assert output.read_bytes() == text_of(world)
        assert sorted(each.name for each in place.iterdir()) == ["cases.jsonl", "seen"]
    assert shared > 0


# ---- what counts -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def ahead(output):
    """An export whose last page was written, but of which no checkpoint speaks."""
    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10_000, 1.0)
        for numbers in ((0, 1), (2,), (3, 4)):
            filled(ranges.all[0], spool, *numbers)
            await spool.commit(ranges)


async def test_each_page_counts_once_it_is_committed(ahead, output):
    for _ in range(3):
        with Spool(output, ASKED) as spool:
            (fetched,) = spool.ranges.all
            assert lines_of(spool) == [line(number, number) for number in range(5)]
            assert (fetched.cases, fetched.size) == (5, sum(len(each) + 1 for each in lines_of(spool)))
            assert (fetched.rest, fetched.cursor, fetched.latest) == (TimeRange(4, 10_001), "next", ("case_4",))


async def test_what_no_checkpoint_speaks_of_is_cut_off(ahead, output, work):
    with (work / "cases-0.jsonl").open("ab") as file:
        file.write(line(5, 5) + b"\n" + line(6, 6)[:20])
    (work / "cases-1.jsonl").write_bytes(line(9, 9) + b"\n")
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5
        (late,) = spool.ranges.spread(1)
        filled(late, spool, 9_999)
        await spool.commit(spool.ranges)
    assert (work / "cases-0.jsonl").read_bytes().splitlines() == [line(number, number) for number in range(5)]
    assert (work / "cases-1.jsonl").read_bytes() == line(9_999, 9_999) + b"\n"


@pytest.mark.parametrize("damage", ["half a page", "a page", "a bit"])
async def test_pages_that_are_not_as_they_were_written_do_not_count(ahead, output, work, damage):
    text = bytearray((work / "cases-0.jsonl").read_bytes())
    if damage == "a bit":
        text[text.index(b"case_2")] ^= 1
    else:
        del text[-9 if damage == "half a page" else text.index(b"case_3") :]
    (work / "cases-0.jsonl").write_bytes(text)
    with Spool(output, ASKED) as spool:
        # Only the first commit of a run was durable.
        assert lines_of(spool) == [line(0, 0), line(1, 1)]
        filled(spool.ranges.all[0], spool, 2)
        await spool.commit(spool.ranges)
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(0, 0), line(1, 1), line(2, 2)]


async def test_a_range_cut_after_the_checkpoint_is_fetched_again(output):
    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10_000, 1.0)
        filled(ranges.all[0], spool, 0, 1)
        await spool.commit(ranges)
        (late,) = ranges.spread(1)
        filled(ranges.all[0], spool, 2, 3)
        filled(late, spool, 9_999)
    with Spool(output, ASKED) as spool:
        (whole,) = spool.ranges.all
        assert lines_of(spool) == [line(0, 0), line(1, 1)]
        assert whole.rest == TimeRange(1, 10_001)


async def test_the_disk_need_not_hold_all_ranges_twice(output, work, monkeypatch):
    monkeypatch.setattr(spools, "_BYTES_HELD_TWICE", 5_000)
    world, most = World(moments_of([(0, YEAR, 4_000)])), 0
    write = spools.write_whole

    def look(file, data):
        nonlocal most
        write(file, data)
        most = max(most, sum(path.stat().st_size for path in work.glob("cases-*.jsonl")))

    with Spool(output, ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(8))
        monkeypatch.setattr(spools, "write_whole", look)
        ranges = [each.size for each in spool.ranges.all]
        put_together(spool)
    assert output.read_bytes() == text_of(world)
    assert len(ranges) > 5
    assert most <= sum(ranges) + 5_000 + max(ranges) < 1.6 * sum(ranges)


async def test_pages_without_a_wanted_case_are_not_fetched_again(tmp_path):
    class Rare(World):
        def page(self, part, after):
            page = super().page(part, after)
            return replace(page, unwanted=range(len(page)) if self.requests > 6 else ())

    world, left = Rare(moments_of([(0, YEAR, 6_000)])), tmp_path / "left"

    async def leave(number):
        await asyncio.sleep(0.01)
        if number == 40:
            shutil.copytree(tmp_path / ".cases.jsonl.export", left / ".cases.jsonl.export")

    world.before = leave
    await export(world, tmp_path / "cases.jsonl", backward=True)
    again = Rare(world.moments, requests=40)
    await export(again, left / "cases.jsonl", backward=True)
    assert again.requests < 40 + 30


@given(st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")), max_size=30), st.integers(1, 12))
def test_lines_are_read_from_either_end_and_no_further(lines, reading):
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_file, "_BYTES_AT_ONCE", reading)
        text, path = b"".join(each + b"\n" for each in lines), Path(directory) / "file"
        path.write_bytes(b"before\n" + text + b"after")
        part = range_file.FilePart(path, 7, len(text), zlib.crc32(text))
        assert [each for batch in part.batches() for each in batch] == lines
        assert [each for batch in part.batches(backward=True) for each in batch] == lines[::-1]


# ---- disks that do not do as they should -----------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
async def test_nothing_is_committed_after_a_failed_write_though_a_commit_was_on_its_way(output, monkeypatch, failure):
    write = os.write

    def fail(file, data):
        write(file, data[:9])
        raise failure

    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10_000, 1.0)
        filled(ranges.all[0], spool, 0)
        await spool.commit(ranges)
        filled(ranges.all[0], spool, 1)
        on_its_way = asyncio.ensure_future(spool.commit(ranges))
        await asyncio.sleep(0)
        filled(ranges.all[0], spool, 2, 3)
        await on_its_way
        monkeypatch.setattr(os, "write", fail)
        with pytest.raises(type(failure)):
            spool.commit_at_once(ranges)
        monkeypatch.undo()
        spool.commit_at_once(ranges)
        await spool.commit(ranges, durable=True)
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(0, 0), line(1, 1)]
        assert spool.ranges.all[0].cases == 2


@pytest.mark.parametrize("fetchers", [1, 4])
async def test_a_disk_that_is_full_for_a_moment_loses_nothing(tmp_path, fetchers):
    failed = 0
    for nth in range(1, 20, 3):
        world, output = World(CROWD), tmp_path / str(nth) / "cases.jsonl"
        output.parent.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "write", failing(os.write, nth))
            with suppress(OSError):
                await export(world, output, fetchers)
        failed += not output.exists()
        await export(world, output, fetchers)
        assert output.read_bytes() == text_of(world)
    assert failed > 2


def failing(write, nth):
    numbers = iter(range(1, 1 << 30))

    def fail(file, data):
        if next(numbers) != nth:
            return write(file, data)
        write(file, data[: len(data) * 2 // 3])
        raise OSError(28, "No space left on device")

    return fail


@pytest.mark.parametrize("fetchers", [1, 4])
async def test_a_disk_that_is_slow_now_and_then_keeps_the_order(output, monkeypatch, fetchers):
    world, commit = World(CROWD), Spool.commit_at_once
    monkeypatch.setattr(spools, "_SLOW", -1.0)
    monkeypatch.setattr(spools, "_WHILE", 0.002)
    ways = set()

    def way(spool, ranges):
        ways.add(done := commit(spool, ranges))
        return done

    async def wait(number):
        await asyncio.sleep(0.001 * (number % 4))

    monkeypatch.setattr(Spool, "commit_at_once", way)
    world.before = wait
    await export(world, output, fetchers)
    assert output.read_bytes() == text_of(world)
    assert ways == {True, False}


# ---- the output ------------------------------------------------------------------------------------------------------


async def test_the_first_file_is_copied_where_a_file_can_not_have_two_names(output, work, monkeypatch):
    def refuse(*_, **__):
        raise OSError(95, "Operation not supported")

    world, linked = World(PLAIN), []
    remove = Spool.remove

    def look(spool):
        linked.append((work / "cases-0.jsonl").samefile(output))
        remove(spool)

    monkeypatch.setattr(Spool, "remove", look)
    for link in (os.link, refuse):
        monkeypatch.setattr(os, "link", link)
        await export(world, output, 3)
        assert output.read_bytes() == text_of(world)
    assert linked == [True, False]
    assert [*output.parent.iterdir()] == [output]


async def test_what_is_read_already_stays_as_it_was_and_a_symbolic_link_stays_one(tmp_path):
    output, whole = tmp_path / "cases.jsonl", tmp_path / "there" / "whole.jsonl"
    whole.parent.mkdir()
    whole.write_bytes(b"before\n")
    output.symlink_to(whole)
    with whole.open("rb") as reader:
        await export(World(PLAIN), output, 3)
        assert reader.read() == b"before\n"
    assert output.is_symlink()
    assert whole.read_bytes() == text_of(World(PLAIN))
    assert [*whole.parent.iterdir()] == [whole]


async def test_walked_backward_nothing_counts_twice_when_it_was_killed_while_it_was_put_together(output):
    ranges = FetchedRanges.around(-9, -1, 1.0, open_end=True)
    (fetched,) = ranges.all
    with Spool(output, ASKED, backward=True) as spool, pytest.MonkeyPatch.context() as patch:
        spool.put(fetched, fetched.take(RawPage([line(9, 9), line(8, 8)], "next", backward=True)))
        await spool.commit(ranges)
        file = spool.file()
        spool.become(file)
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            file.commit()
        file.discard()
    with Spool(output, ASKED, backward=True) as spool:
        assert lines_of(spool) == [line(8, 8), line(9, 9)]
        assert spool.ranges.all[0].position == -8


async def test_killed_before_the_last_checkpoint_and_without_power_then_it_is_all_there(output, work):
    world = World(PLAIN)
    with Spool(output, ASKED) as spool, pytest.MonkeyPatch.context() as patch:
        await collect(world, spool, fetchers=fetchers_of(3))
        await spool.commit(spool.ranges, durable=True)
        patch.setattr(spools.CheckpointFile, "write", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        file = spool.file()
        with pytest.raises(KeyboardInterrupt):
            spool.become(file)
        file.discard()
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == world.lines
    # What was put together is cut off by that.
    lose_power(work, recent=False)
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == world.lines


async def test_another_export_starts_over_with_files_of_its_own(tmp_path):
    output = tmp_path / "cases.jsonl"
    with Spool(output, ASKED) as spool:
        await collect(World(PLAIN), spool, fetchers=fetchers_of(3))
        file = spool.file()
        spool.become(file)
        file.commit()
    # As if it had been killed before the directory was removed.
    with Spool(output, OTHER, restart=True) as spool, output.open("rb") as reader:
        await collect(World(PLAIN[:9]), spool, fetchers=fetchers_of())
        assert lines_of(spool) == World(PLAIN[:9]).lines
        assert reader.read() == text_of(World(PLAIN))
