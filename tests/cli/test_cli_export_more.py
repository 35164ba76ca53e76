"""`export` with attachments, and without the lag of searches."""

from __future__ import annotations

import json
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from cli.conftest import serving

from persona_cases.cli.exits import ExitCode
from persona_cases.testing import Fault, ManualClock, Simulator


@pytest.fixture
def behind(monkeypatch):
    """An API whose searches do not know yet that 30 of 200 cases were made and 20 closed."""
    clock = ManualClock()
    simulator = Simulator(cases=170, seed=5, index_lag=60, clock=clock)
    clock.advance(3_600)
    for case in list(simulator.store.cases.values())[:20]:
        simulator.store.update_case(case.id, status="closed")
    for _ in range(30):
        simulator.store.create_case(status="closed")
        clock.advance(0.1)
    with serving(simulator):
        monkeypatch.setenv("PERSONA_API_KEY", simulator.api_key)
        monkeypatch.setenv("PERSONA_BASE_URL", simulator.base_url)
        yield simulator


def ids_in(path):
    return [msgspec.json.decode(line)["id"] for line in path.read_bytes().splitlines()]


def on_disk(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def attached(api):
    """What ought to be on the disk, if no two files of a case have one name."""
    return {
        f"{case.id}/{file.filename}": api.store.file_content(file)
        for case in api.store.cases.values()
        for file in case.attachments
    }


# ---- attachments -----------------------------------------------------------------------------------------------------


def test_attachments_are_downloaded_and_summed_up(cli, api, tmp_path):
    what = ("export", "-o", str(tmp_path / "x.jsonl"), "--attachments", str(tmp_path / "files"))
    expected = attached(api)
    ran = cli(*what)
    assert (ran.code, ran.out) == (0, b"")
    assert on_disk(tmp_path / "files") == expected
    exported, sent, files = ran.err.splitlines()
    assert exported.startswith("exported 300 cases in ")
    assert " requests, none refused (429); " in sent
    assert files.startswith(f"{len(expected)} attachments (")
    assert files.endswith(", 0 there already, none missing")
    assert cli(*what).err.splitlines()[-1] == (f"0 attachments (0 bytes), {len(expected)} there already, none missing")


def test_the_report_as_json_has_attachments(cli, api, tmp_path):
    lost = next(file for case in api.store.cases.values() for file in case.attachments)
    api.faults.add(Fault.status(404), path=f"/files/{lost.filename}")
    ran = cli("export", "-o", str(tmp_path / "x.csv"), "--attachments", str(tmp_path / "files"), "--report", "json")
    expected = attached(api)
    missing = {name for name in expected if name.endswith(f"/{lost.filename}")}
    (line,) = ran.err.splitlines()
    report = json.loads(line)
    assert (report["cases"], report["resumed"]) == (300, False)
    files = report["attachments"]
    assert files.pop("requests") > len(expected) - len(missing)
    assert files.pop("refused") == 0
    assert files.pop("elapsed") > 0
    assert files == {
        "files": len(expected) - len(missing),
        "there": 0,
        "missing": len(missing),
        "size": sum(len(each) for name, each in expected.items() if name not in missing),
        "incomplete": files["incomplete"],
    }
    assert sorted(report["attachments"]["incomplete"]) == sorted(name.partition("/")[0] for name in missing)


def test_without_attachments_the_report_has_none(cli, api, tmp_path):
    ran = cli("export", "-o", str(tmp_path / "x.csv"), "--report", "json")
    assert json.loads(ran.err)["attachments"] is None


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_cases_on_stdout_can_have_their_files_beside_them(cli, api, tmp_path, form):
    ran = cli("export", "-o", "-", "--format", form, "--attachments", str(tmp_path / "files"))
    assert ran.code == 0
    assert len(ran.out.splitlines()) == (300 if form == "jsonl" else 301)
    assert on_disk(tmp_path / "files") == attached(api)
    assert ran.err.splitlines()[-1].startswith(f"{len(attached(api))} attachments (")


def test_fields_without_attachments_are_refused_before_the_first_request(cli, api, tmp_path):
    for path in ("-", str(tmp_path / "x.jsonl")):
        ran = cli("export", "-o", path, "--only", "status", "--attachments", str(tmp_path / "files"))
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err.startswith("error: attachments are found through the attribute of that name: add it to ")
    assert not [*api.requests, *tmp_path.iterdir()]


def test_a_file_that_is_refused_is_an_error_and_the_export_can_be_gone_on_with(cli, api, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    api.faults.add(Fault.status(403), path="/files/*", nth=range(5, 100))
    ran = cli("export", "-o", "x.jsonl", "--attachments", "files")
    assert ran.code == 3
    kept, command, *_ = ran.err.splitlines()
    assert kept.startswith("progress saved. ")
    assert shlex.split(command) == ["persona-cases", "export", "-o", "x.jsonl", "--attachments", "files"]
    assert not [name for name in attached(api) if name.partition("/")[2] in ran.err]
    api.faults.clear()
    assert cli(*shlex.split(command)[1:]).code == 0
    assert on_disk(tmp_path / "files") == attached(api)


# ---- fresh -----------------------------------------------------------------------------------------------------------


def test_a_fresh_export_has_what_searches_do_not_know_yet(cli, behind, tmp_path):
    late, fresh = tmp_path / "late.jsonl", tmp_path / "fresh.jsonl"
    assert cli("export", "-o", str(late)).code == cli("export", "-o", str(fresh), "--consistency", "fresh").code == 0
    assert len(ids_in(late)) == 170
    assert sorted(ids_in(fresh)) == sorted(behind.store.cases)
    assert cli("export", "-o", str(late), "--consistency", "search", "--where", "status == 'closed'").code == 0
    assert cli("export", "-o", str(fresh), "--consistency", "fresh", "--where", "status == 'closed'").code == 0
    closed = {case.id for case in behind.store.cases.values() if case.status == "closed"}
    assert set(ids_in(fresh)) == closed
    assert set(ids_in(late)) < closed


def test_a_fresh_export_has_its_files_too(cli, behind, tmp_path):
    new = behind.store.create_case(attachments=(behind.store.upload("new.pdf", b"content"),))
    what = ("--consistency", "fresh", "--attachments", str(tmp_path / "files"))
    assert cli("export", "-o", str(tmp_path / "x.jsonl"), *what).code == 0
    assert on_disk(tmp_path / "files")[f"{new.id}/new.pdf"] == b"content"
    assert on_disk(tmp_path / "files") == attached(behind)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("-o", "-"), "--consistency fresh is not possible with -o -, --sort or --limit"),
        (("-o", "x.jsonl", "--limit", "5"), "--consistency fresh is not possible with -o -, --sort or --limit"),
        (("-o", "x.jsonl", "--sort", "created_at:asc"), "--consistency fresh is not possible with "),
        (("-o", "-", "--columns-from", "ctmpl_1", "--format", "csv"), "--consistency fresh is not possible with "),
        (("-o", "x.jsonl", "--where", "state == 'open'"), "state cannot be evaluated locally"),
        (("-o", "x.jsonl", "--where", "tag_id == 'tag_1'"), "tag_id cannot be evaluated locally"),
    ],
)
def test_what_no_list_can_do_is_refused_before_the_first_request(cli, api, tmp_path, monkeypatch, asked, reason):
    monkeypatch.chdir(tmp_path)
    ran = cli("export", "--consistency", "fresh", *asked)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith(f"error: {reason}")
    assert not [*api.requests, *tmp_path.iterdir()]


def test_a_time_that_never_comes_bounds_nothing(cli, api, tmp_path):
    path = tmp_path / "x.jsonl"
    where = "created_at < '9999-01-01T00:00:00Z'"
    ran = cli("export", "-o", str(path), "--consistency", "fresh", "--where", where)
    assert (ran.code, len(ids_in(path))) == (0, 300)


def test_an_export_can_not_be_gone_on_with_in_another_consistency(cli, api, tmp_path):
    path = str(tmp_path / "x.jsonl")
    api.faults.add(Fault.status(409), path="/cases", nth=2)
    assert cli("export", "-o", path, "--consistency", "fresh").code == 6
    api.faults.clear()
    ran = cli("export", "-o", path)
    assert ran.code == 2
    assert "with different consistency exists" in ran.err
    assert cli("export", "-o", path, "--restart").code == 0


# ---- interrupted -----------------------------------------------------------------------------------------------------


def test_the_command_that_goes_on_has_the_same_options(interrupted, process, api, tmp_path):
    asked = ["export", "-o", "x.jsonl", "--attachments", "the files", "--consistency", "fresh", "--report", "json"]
    kept, command, last = interrupted(api, *asked, "--restart", slow="/files/*", at=9, cwd=tmp_path)
    assert kept == "progress saved. Resume with the command below, or add --restart to start over:"
    program, *argv = shlex.split(command)
    options = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert (Path(program).name, argv[0], last) == ("persona-cases", "export", "interrupted")
    assert options == dict(zip(asked[1::2], asked[2::2], strict=True))
    there = on_disk(tmp_path / "the files")
    assert there.items() <= attached(api).items()

    report = json.loads(process(*argv, cwd=tmp_path).err.splitlines()[-1])
    assert report["resumed"]
    assert report["attachments"]["there"] == len(there)
    assert on_disk(tmp_path / "the files") == attached(api)
    assert sorted(ids_in(tmp_path / "x.jsonl")) == sorted(api.store.cases)
    assert {path.name for path in tmp_path.iterdir()} == {"x.jsonl", "the files"}


def test_a_walk_in_order_keeps_nothing_but_attachments(interrupted, api, tmp_path):
    asked = ("export", "-o", "x.jsonl", "--limit", "290", "--attachments", "files")
    said = interrupted(api, *asked, slow="/files/*", at=9, cwd=tmp_path)
    assert said == [
        "no progress saved except attachments: an export to stdout, or with --sort or --limit, cannot be resumed",
        "interrupted",
    ]
    assert 0 < len(on_disk(tmp_path / "files")) < len(attached(api))
    assert {path.name for path in tmp_path.iterdir()} == {"files"}


def test_a_database_of_somebody_else_is_kept_unless_overwrite_is_given(cli, api, tmp_path):
    path = tmp_path / "mine.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    ran = cli("export", "-o", str(path))
    assert (ran.code, path.read_bytes()) == (ExitCode.USAGE, before)
    assert "overwrite" in ran.err
    assert cli("export", "-o", str(path), "--overwrite").code == 0


def test_an_unfinished_export_that_is_too_old_is_refused(cli, api, tmp_path):
    what = ("export", "-o", str(tmp_path / "x.jsonl"))
    api.faults.add(Fault.status(409), path="/cases/search", nth=3, times=1)
    assert cli(*what).code != 0
    ran = cli(*what, "--resume-max-age", "0s")
    assert ran.code == ExitCode.USAGE
    assert "restart" in ran.err
    ran = cli(*what, "--resume-max-age", "2d", "--report", "json")
    assert json.loads(ran.err)["resumed"]


def test_an_age_that_is_none_is_refused(cli, api, tmp_path):
    ran = cli("export", "-o", str(tmp_path / "x.jsonl"), "--resume-max-age", "soon")
    assert ran.code == ExitCode.USAGE
    assert "--resume-max-age takes a time such as 2h" in ran.err


def test_cases_that_are_set_aside_are_told_by_the_exit_code(cli, api, tmp_path):
    case = next(case for case in api.store.cases.values() if "notes" in case.fields)
    api.store.update_case(case.id, fields={"notes": "poison"})

    def alter(answer):
        return type(answer)(answer.status, answer.headers, answer.body.replace(b'"poison"', b"1e400"))

    api.faults.add(Fault(name="poison", applied=True, alter=alter))
    assert cli("export", "-o", str(tmp_path / "x.csv")).code == ExitCode.ANSWER
    assert not (tmp_path / "x.csv").exists()
    ran = cli("export", "-o", str(tmp_path / "x.csv"), "--undecodable", "set_aside")
    assert ran.code == ExitCode.ANSWER
    assert "set aside 1 case that could not be decoded" in ran.err
    assert case.id in (tmp_path / "x.csv.rejected.jsonl").read_text()
    assert cli("export", "-o", "-", "--undecodable", "set_aside").code == ExitCode.USAGE
