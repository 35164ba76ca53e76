"""Cases that a table cannot have go to a file beside it."""

from __future__ import annotations

import stat

import pytest
from lines_of_cases import Lines, make_line

from persona_cases import DecodeError
from persona_cases.export.formats.target import Target
from persona_cases.export.progress import RunProgress
from persona_cases.export.rejects import Rejects
from persona_cases.export.runner import FileExport
from persona_cases.export.sinks import AtomicFile

POISONED = [
    b'{"type":"case","id":"case_x","attributes":{"fields":{"a":1e400}}}',
    b'{"type":"case","id":"case_y","attributes":{"fields":{"a":"\\ud800"}}}',
    b'{"type":"case","id":"case_z","attributes":{"created_at":"yesterday"}}',
    b"{}",
]
TABLES = ["x.csv", "x.csv.gz", "x.parquet", "x.db"]


def exporting(path, rejects):
    return FileExport(target=Target.of(path), output=AtomicFile(path), rejects=rejects)


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("name", TABLES)
async def test_the_table_has_the_others_and_the_file_beside_it_has_these(tmp_path, name, size):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    path, sound = tmp_path / name, [make_line(number) for number in range(5)]
    lines = [POISONED[0], *sound[:2], *POISONED[1:3], *sound[2:], POISONED[3]]
    rejects = Rejects(path)
    progress = RunProgress()
    progress.update(cases=len(lines))
    await exporting(path, rejects).write_from(Lines(lines, size), progress)
    assert (progress.so_far.cases, rejects.count) == (len(sound), 4)
    assert rejects.path == tmp_path / f"{name}.rejected.jsonl"
    assert rejects.path.read_bytes().splitlines() == POISONED

    plain = tmp_path / f"plain-{name}"
    await exporting(plain, None).write_from(Lines(sound), RunProgress())
    assert path.read_bytes() == plain.read_bytes()
    assert {each.name for each in tmp_path.iterdir()} == {name, f"{name}.rejected.jsonl", plain.name}


async def test_without_rejects_the_file_of_an_earlier_export_goes(tmp_path):
    path = tmp_path / "x.csv"
    await exporting(path, Rejects(path)).write_from(Lines([POISONED[0]]), RunProgress())
    assert len(list(tmp_path.iterdir())) == 2
    await exporting(path, Rejects(path)).write_from(Lines([make_line()]), RunProgress())
    assert list(tmp_path.iterdir()) == [path]


async def test_an_export_that_fails_leaves_the_files_of_an_earlier_one(tmp_path):
    path = tmp_path / "x.csv"
    await exporting(path, Rejects(path)).write_from(Lines([POISONED[0]]), RunProgress())

    class Broken(Lines):
        def batches(self):
            yield [POISONED[1]]
            raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        await exporting(path, Rejects(path)).write_from(Broken([]), RunProgress())
    assert (tmp_path / "x.csv.rejected.jsonl").read_bytes() == POISONED[0] + b"\n"
    assert len(list(tmp_path.iterdir())) == 2


async def test_rejects_of_a_private_export_are_private(tmp_path):
    path = tmp_path / "x.csv"
    path.touch(0o600)
    await exporting(path, Rejects(path)).write_from(Lines([POISONED[0]]), RunProgress())
    assert stat.S_IMODE((tmp_path / "x.csv.rejected.jsonl").stat().st_mode) == 0o600


async def test_by_default_they_are_refused(tmp_path):
    with pytest.raises(DecodeError, match="line 1"):
        await exporting(tmp_path / "x.csv", None).write_from(Lines([POISONED[0]]), RunProgress())
    assert list(tmp_path.iterdir()) == []
