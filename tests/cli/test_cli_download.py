"""`download`: whole files, under names that can do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cases.testing import Fault


@pytest.fixture
def case(api):
    files = [("passport.pdf", b"%PDF-1"), ("photo.png", b"PNG" * 50_000), ("passport.pdf", b"%PDF-2")]
    return api.store.create_case("KYC", attachments=tuple(api.store.upload(*file) for file in files))


def test_all_files_of_a_case_arrive(cli, case, tmp_path):
    ran = cli("download", case.id, "--to", str(tmp_path / "new" / "files"))
    assert ran.code == 0
    paths = [Path(line.decode()) for line in ran.out.splitlines()]
    assert [path.name for path in paths] == ["passport.pdf", "photo.png", "passport (2).pdf"]
    assert [path.read_bytes() for path in paths] == [b"%PDF-1", b"PNG" * 50_000, b"%PDF-2"]
    assert set((tmp_path / "new" / "files").iterdir()) == set(paths)
    assert ran.err.startswith("downloaded 3 files (150.0 kB) to ")


def test_one_name_is_asked_for(cli, case, tmp_path):
    assert cli("download", case.id, "--name", "photo.png", "--to", str(tmp_path)).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    ran = cli("download", case.id, "--name", "nope.png", "--to", str(tmp_path))
    assert (ran.code, ran.err) == (4, "error: the case has no attachment with this name\n")


def test_a_case_without_files_is_no_error(cli, api, tmp_path):
    bare = api.store.create_case("KYC")
    ran = cli("download", bare.id, "--to", str(tmp_path))
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.startswith("downloaded 0 files (0 bytes) to ")


def test_what_is_there_is_not_replaced_unasked(cli, api, case, tmp_path):
    (tmp_path / "photo.png").write_text("mine")
    ran = cli("download", case.id, "--to", str(tmp_path))
    assert ran.code == 2
    assert ran.err == "error: --to: file 2 of 3 already exists in the directory: give --overwrite to replace it\n"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("photo.png", "mine")]
    assert cli("download", case.id, "--to", str(tmp_path), "--overwrite").code == 0
    assert (tmp_path / "photo.png").read_bytes() == b"PNG" * 50_000


def test_a_directory_that_can_not_be_one_is_refused(cli, case, tmp_path):
    (tmp_path / "file").write_text("x")
    ran = cli("download", case.id, "--to", str(tmp_path / "file"))
    assert ran.code == 2
    assert ran.err == "error: --to: cannot write to the directory: File exists\n"


def test_a_file_that_fails_is_counted_and_not_named(cli, api, case, tmp_path):
    api.faults.add(Fault.status(404), path="/files/photo.png")
    ran = cli("download", case.id, "--to", str(tmp_path))
    assert ran.code == 4
    first, *_, last = ran.err.splitlines()
    assert first.startswith("error: file 2 of 3: 404 ")
    assert last.startswith("downloaded 2 of 3 files (12 bytes) to ")
    assert "photo" not in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["passport (2).pdf", "passport.pdf"]
    assert [Path(line.decode()).name for line in ran.out.splitlines()] == ["passport.pdf", "passport (2).pdf"]


def test_a_file_that_is_refused_ends_the_download(cli, api, case, tmp_path):
    api.faults.add(Fault.status(403), path="/files/photo.png")
    ran = cli("download", case.id, "--to", str(tmp_path))
    assert (ran.code, len(ran.out.splitlines())) == (3, 1)


def test_a_case_without_files_can_be_an_error(cli, api, tmp_path):
    bare = api.store.create_case("KYC")
    ran = cli("download", bare.id, "--to", str(tmp_path / "files"), "--fail-on-missing")
    assert (ran.code, ran.out, ran.err) == (4, b"", "error: the case has no attachments\n")
    assert not list(tmp_path.iterdir())


def test_progress_is_shown_on_a_terminal(on_terminal, case, tmp_path):
    ran = on_terminal("download", case.id, "--to", str(tmp_path))
    assert ran.code == 0
    assert b"file 1 of 3" in ran.out
    assert b"\ndownloaded 3 files (150.0 kB)" in ran.out or b"\x1b[2Kdownloaded 3 files (150.0 kB)" in ran.out
