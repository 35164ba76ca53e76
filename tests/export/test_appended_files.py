"""The files that grow with each page: they stay open, but not too many, and not when their names change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spooling import fetchers_of, put_together
from worlds import YEAR, World, moments_of

from persona_cases.export.ranges.collector import collect
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.disk import AppendedFiles
from persona_cases.export.spool.spool import Spool

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed only on Linux")


def open_in(directory):
    """The names of the open files of a directory."""
    found = [each.resolve() for each in Path("/proc/self/fd").iterdir()]
    return sorted(path.name for path in found if path.parent == directory)


def test_files_are_whole_while_they_are_open_and_grow_again_when_they_were_closed(tmp_path):
    files = AppendedFiles(tmp_path.joinpath, most=2)
    for part in (b"a", b"b", b"c"):
        for name in ("one", "two"):
            files.append(name, part)
        if part == b"b":
            files.close()
            assert open_in(tmp_path) == []
    assert open_in(tmp_path) == ["one", "two"]
    assert [(tmp_path / name).read_bytes() for name in ("one", "two")] == [b"abc"] * 2
    files.close()


def test_only_those_written_last_stay_open(tmp_path):
    files, names = AppendedFiles(tmp_path.joinpath, most=5), [str(number) for number in range(5)]
    for name in names:
        files.append(name, b"1")
    files.append("0", b"2")
    files.append("one more", b"1")
    assert open_in(tmp_path) == sorted({*names, "one more"} - {"1"})
    files.append("1", b"2")
    files.close()
    assert [(tmp_path / name).read_bytes() for name in ("0", "1", "2")] == [b"12", b"12", b"1"]
    assert open_in(tmp_path) == []


@pytest.mark.parametrize("fetchers", [1, 4])
@pytest.mark.parametrize("backward", [False, True])
async def test_no_file_is_open_when_it_is_linked_renamed_or_deleted(output, work, monkeypatch, fetchers, backward):
    # Windows refuses that.
    seen = list[str]()

    def watched(name):
        call = getattr(os, name)

        def check(path, *rest, **settings):
            if Path(path).parent == work and Path(path).name != "lock":
                seen.append(name)
                assert Path(path).name not in open_in(work)
            return call(path, *rest, **settings)

        monkeypatch.setattr(os, name, check)

    for name in ("unlink", "link", "replace", "rename"):
        watched(name)
    world = World(moments_of([(0, YEAR, 2_000)]))
    with Spool(output, Description({}, "1.0"), backward=backward) as spool:
        await collect(world, spool, fetchers=fetchers_of(fetchers))
        assert {"checkpoint.jsonl", "cases-0.jsonl"} <= set(open_in(work))
        put_together(spool)
        spool.remove()
    assert not work.exists()
    assert {"unlink", "replace"} <= set(seen)


async def test_an_export_that_fails_leaves_no_file_open(output, work):
    class Broken(World):
        async def pages(self, time_range, after):
            async for page in super().pages(time_range, after):
                if self.requests > 8:
                    raise ConnectionError
                yield page

    with (
        Spool(output, Description({}, "1.0")) as spool,
        pytest.raises(ConnectionError),
    ):
        await collect(Broken(moments_of([(0, YEAR, 2_000)])), spool, fetchers=fetchers_of(2))
    assert open_in(work) == []
