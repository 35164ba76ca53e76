"""Who may read what an export writes, and what it does not touch: links and directories that others prepared."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from spooling import filled, put_together
from worlds import line

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.attachments.directory import FileDirectory
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.export.spool.workplace import Workplace

ASKED = Description({"where": "all"}, "1.0")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


async def begin(spool):
    """Let there be cases in two ranges."""
    ranges = FetchedRanges.around(0, 10_000, 1.0)
    filled(ranges.all[0], spool, 0, 1)
    (late,) = ranges.spread(1)
    filled(late, spool, 9_999, cursor=None)
    await spool.commit(ranges)


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_bytes(b"precious\n")
    yield path
    assert path.read_bytes() == b"precious\n"


async def test_the_directory_of_an_export_is_for_its_owner_alone(output, work):
    old = os.umask(0)
    try:
        with Spool(output, ASKED) as spool:
            await begin(spool)
            part = spool.file()
            assert mode_of(work) == 0o700
            modes = {path.name: mode_of(path) for path in work.iterdir() if path != part.part}
            assert set(modes.values()) == {0o600}, modes
            assert len(modes) == 4
            part.discard()
    finally:
        os.umask(old)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
@pytest.mark.parametrize("way", ["become", "write"])
@pytest.mark.parametrize("old", [None, 0o600, 0o640, 0o644, 0o400])
async def test_a_file_keeps_the_mode_of_the_one_that_it_replaces(output, umask, way, old):
    if old is not None:
        output.write_bytes(b"before")
        output.chmod(old)
    before = os.umask(umask)
    try:
        with Spool(output, ASKED) as spool:
            await begin(spool)
            if way == "become":
                put_together(spool)
            else:
                file = spool.file()
                # As it grows, nobody may read it who may not read it in the end.
                assert mode_of(file.part) & ~0o600 == (0o666 & ~umask if old is None else old) & ~0o600
                file.write(b"after")
                file.commit()
    finally:
        os.umask(before)
    assert mode_of(output) == (0o666 & ~umask if old is None else old)


@pytest.mark.parametrize("prepare", [os.symlink, os.link], ids=["symbolic", "hard"])
@pytest.mark.parametrize("name", ["lock", "cases-1.jsonl", "checkpoint.jsonl"])
async def test_links_in_the_directory_are_refused(output, work, victim, prepare, name):
    with Spool(output, ASKED) as spool:
        await begin(spool)
    # Some versions of filelock remove the lock when it is released.
    (work / name).unlink(missing_ok=True)
    prepare(victim, work / name)
    with pytest.raises(InvalidArgumentError, match="not a file that an export made"):
        Spool(output, ASKED)


@pytest.mark.parametrize("prepare", [os.symlink, os.link], ids=["symbolic", "hard"])
async def test_the_first_file_is_not_written_to_through_a_link(output, work, victim, prepare):
    with Spool(output, ASKED) as spool:
        await begin(spool)
    (work / "cases-0.jsonl").unlink()
    prepare(victim, work / "cases-0.jsonl")
    with pytest.raises(InvalidArgumentError):
        Spool(output, ASKED)


@pytest.mark.parametrize("prepare", [os.symlink, os.link], ids=["symbolic", "hard"])
async def test_drafts_that_are_links_are_replaced(output, work, victim, prepare):
    work.mkdir(mode=0o700)
    for name in ("cases-0.jsonl", "cases-1.jsonl", "checkpoint.new", ".cases.jsonl.0.part"):
        prepare(victim, work / name)
    with Spool(output, ASKED) as spool:
        await begin(spool)
        put_together(spool)
    assert output.read_bytes().splitlines() == [line(0, 0), line(1, 1), line(9_999, 9_999)]


def test_a_directory_that_is_a_link_is_refused(output, work, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    work.symlink_to(elsewhere)
    with pytest.raises(InvalidArgumentError, match="not a directory, but a link"):
        Spool(output, ASKED)
    assert not [*elsewhere.iterdir()]


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_directory_that_others_can_write_to_is_refused(output, work, mode):
    work.mkdir()
    work.chmod(mode)
    with pytest.raises(InvalidArgumentError, match="other users can write to it"):
        Spool(output, ASKED)


def test_a_directory_of_another_user_is_refused(output, work, monkeypatch):
    work.mkdir(mode=0o700)
    lstat = Path.lstat

    def look(path):
        found = lstat(path)
        owner = found.st_uid + (path == work)
        return os.stat_result((*found[:4], owner, *found[5:]))

    monkeypatch.setattr(Path, "lstat", look)
    with pytest.raises(InvalidArgumentError, match="another user owns it"):
        Spool(output, ASKED)


def test_a_directory_that_others_can_only_read_is_closed_to_them(output, work):
    work.mkdir()
    work.chmod(0o755)
    with Spool(output, ASKED):
        assert mode_of(work) == 0o700


@pytest.mark.parametrize("refuses", [True, False], ids=["chmod fails", "chmod does nothing"])
@pytest.mark.parametrize("owner", ["ours", "another"])
async def test_file_systems_without_owners_and_modes_are_used_as_they_are(output, work, monkeypatch, refuses, owner):
    opened, made, lstat, fstat = os.open, Path.mkdir, Path.lstat, os.fstat
    us = os.geteuid()

    def look(found):
        uid = us + (owner == "another")
        return os.stat_result((found.st_mode | 0o777, *found[1:4], uid, *found[5:]))

    def chmod(path, mode):
        if refuses:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777, **more: opened(path, flags, 0o777, **more))
    monkeypatch.setattr(Path, "mkdir", lambda path, mode=0o777, **more: made(path, 0o777, **more))
    monkeypatch.setattr(Path, "chmod", chmod)
    monkeypatch.setattr(Path, "lstat", lambda path: look(lstat(path)))
    monkeypatch.setattr(os, "fstat", lambda file: look(fstat(file)))
    for resumed in (False, True):
        with Spool(output, ASKED) as spool:
            assert (spool.ranges is not None) is resumed
            if not resumed:
                await begin(spool)
            else:
                put_together(spool)
                spool.remove()
    assert output.read_bytes().splitlines() == [line(0, 0), line(1, 1), line(9_999, 9_999)]
    assert not work.exists()


def test_attachments_are_not_written_through_links(tmp_path, victim):
    files = FileDirectory(tmp_path / "files")
    files.open()
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "files" / "case_1").symlink_to(outside)
    (tmp_path / "files" / "case_2").mkdir()
    (tmp_path / "files" / "case_2" / "a.pdf").symlink_to(victim)
    for case in ("case_1", "case_2"):
        draft = files.draft()
        draft.write_bytes(b"new")
        if case == "case_1":
            with pytest.raises(NotADirectoryError, match="it is a link"):
                files.place(draft, tmp_path / "files" / case / "a.pdf")
        else:
            assert files.place(draft, tmp_path / "files" / case / "a.pdf") == 3
    files.close()
    assert not [*outside.iterdir()]
    assert not (tmp_path / "files" / "case_2" / "a.pdf").is_symlink()


async def test_an_ordered_export_and_one_by_ranges_exclude_each_other(output, work):
    with Spool(output, ASKED) as spool:
        await begin(spool)
        with pytest.raises(ClientStateError, match="another export to this file is running"):
            Workplace(output)
    # An ordered export does not touch the saved progress of the other.
    with Workplace(output) as place:
        with pytest.raises(ClientStateError, match="another export to this file is running"):
            Spool(output, ASKED)
        file = place.file()
        file.write(b"ordered\n")
        file.commit()
    assert output.read_bytes() == b"ordered\n"
    with Spool(output, ASKED) as spool:
        put_together(spool)
        spool.remove()
    assert len(output.read_bytes().splitlines()) == 3
    assert not work.exists()


def test_two_names_of_one_file_are_one_file(tmp_path):
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "whole.jsonl")
    with Workplace(link) as place:
        with pytest.raises(ClientStateError):
            Workplace(tmp_path / "whole.jsonl")
        place.file().commit()
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.jsonl", "whole.jsonl"]


def test_what_a_killed_export_left_of_its_output_is_removed(output, work):
    with Workplace(output) as place:
        left = place.file()
        left.write(b"half")
        place.release()
        with Workplace(output):
            assert not left.part.exists()
        left.discard()
    assert not work.exists()


def test_a_part_never_follows_a_link(tmp_path, victim, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda _: "0" * 8)
    (tmp_path / ".cases.jsonl.00000000.part").symlink_to(victim)
    with pytest.raises(InvalidArgumentError, match="cannot write"):
        AtomicFile(tmp_path / "cases.jsonl")
