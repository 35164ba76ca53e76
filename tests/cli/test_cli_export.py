"""`export`: whole files, whole lines, and progress that stays out of the data."""

from __future__ import annotations

import csv
import gzip
import io
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from persona_cases.testing import Fault

WHERE = "fields.priority in ['high', 'medium'] and created_at < '2025-10-01'"


def ids_of(text: bytes) -> list[str]:
    assert text.endswith(b"\n")
    return [msgspec.json.decode(line)["id"] for line in text.splitlines()]


def matching(records):
    return {
        record.id
        for record in records
        if record.fields.get("priority", {}).get("value") in {"high", "medium"} and record.created_at < "2025-10-01"
    }


def test_a_file_holds_exactly_the_matching_cases(cli, records, tmp_path):
    path = tmp_path / "found.jsonl"
    ran = cli("export", "--simulator", "--cases", "2500", "--seed", "9", "--where", WHERE, "-o", str(path))
    expected = matching(records(cases=2500, seed=9))
    found = ids_of(path.read_bytes())
    assert 300 < len(expected) == len(found)
    assert set(found) == expected
    assert (ran.code, ran.out) == (0, b"")
    # A slow export tells how far it is, now and then.
    *_, exported, sent = ran.err.splitlines()
    assert exported.startswith(f"exported {len(expected):,} cases in ")
    assert exported.partition(" to ")[2].startswith(f"{path} in ")
    assert " requests, none refused (429); " in sent


def test_stdout_holds_the_same_as_a_file(cli, tmp_path):
    what = (
        "export",
        "--simulator",
        "--where",
        WHERE,
        "--sort",
        "updated_at:asc",
        "--limit",
        "130",
        "--only",
        "status",
    )
    to_file, to_stdout = cli(*what, "-o", str(tmp_path / "x")), cli(*what, "-o", "-")
    assert to_stdout.out == (tmp_path / "x").read_bytes()
    assert len(to_stdout.ids) == 130
    assert to_file.code == to_stdout.code == 0
    assert "130 cases in 2 pages" in to_stdout.err


@pytest.mark.parametrize("path", ["missing/x.jsonl", "."])
def test_an_unwritable_path_is_refused_before_the_first_request(cli, api, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    ran = cli("export", "-o", path)
    assert (ran.code, len(api.requests)) == (2, 0)
    assert ran.err.startswith("error: cannot write ")


def test_an_export_that_fails_leaves_the_old_file_alone(cli, api, tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text("old\n")
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    ran = cli("export", "-o", str(path))
    assert ran.code == 6
    assert path.read_text() == "old\n"
    assert "--after" not in ran.err
    kept, command, *_ = ran.err.splitlines()
    assert kept.startswith("progress saved. Resume with the command below, ")
    program, *argv = shlex.split(command)
    assert (program, argv) == ("persona-cases", ["export", "-o", str(path)])
    assert cli(*argv).code == 0
    assert sorted(ids_of(path.read_bytes())) == sorted(api.store.cases)
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_to_stdout_that_fails_says_how_to_get_the_rest(cli, api):
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    ran = cli("export", "-o", "-")
    assert ran.code == 6
    option, cursor = ran.err.rpartition(" and ")[2].split()
    rest = cli("search", "--sort", "created_at:asc", option, cursor)
    assert "--sort created_at:asc" in ran.err
    assert sorted(ran.ids + rest.ids) == sorted(api.store.cases)


@pytest.mark.parametrize(
    "command",
    [["export", "-o", "-"], ["search"], *(["list", "--output", form] for form in ("json", "table", "pretty"))],
)
def test_a_reader_that_leaves_ends_it_quietly(start, command):
    reader, writer = os.pipe()
    started = start(*command, "--simulator", stdout=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        assert lines.readline()
    assert (started.wait(), started.err) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [["export", "-o", "-"], ["list"], ["list", "--output", "json"]])
def test_a_full_disk_is_said_in_one_line(process, command):
    with Path("/dev/full").open("wb") as full:
        ran = process(*command, "--simulator", stdout=full.fileno())
    assert (ran.code, ran.err) == (1, "error: cannot read or write: No space left on device\n")


def test_progress_on_a_terminal_is_one_line_that_goes_away(on_terminal, tmp_path):
    path = tmp_path / "all.jsonl"
    ran = on_terminal("export", "--simulator", "--cases", "4000", "-o", str(path))
    assert len(ids_of(path.read_bytes())) == 4000
    assert b" cases " in ran.out
    assert b" left" in ran.out
    assert b"\x1b[2K" in ran.out
    exported, sent = ran.out.rstrip(b"\n").splitlines()[-2:]
    assert b"exported 4,000 cases in " in exported
    assert b" requests, none refused" in sent


def test_data_on_a_terminal_has_no_progress_in_it(on_terminal):
    ran = on_terminal("export", "--simulator", "--limit", "250", "--only", "status", "-o", "-")
    *lines, exported, sent = ran.out.splitlines()
    assert len([msgspec.json.decode(line) for line in lines]) == 250
    assert exported.startswith(b"exported 250 cases in 3 pages")
    assert sent == b"3 requests, none refused (429); 1 fetcher, 3 pages"


@pytest.mark.parametrize("name", ["found.csv", "found.csv.gz", "found.db"])
def test_a_table_holds_exactly_the_matching_cases(cli, records, tmp_path, name):
    path = tmp_path / name
    ran = cli("export", "--simulator", "--where", WHERE, "-o", str(path))
    assert set(ids_in_table(path)) == matching(records())
    assert (ran.code, ran.out, [path]) == (0, b"", list(tmp_path.iterdir()))


def ids_in_table(path):
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database:
            return [id for (id,) in database.execute("SELECT id FROM cases")]
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_parquet_is_written_too(cli, records, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet")
    assert cli("export", "--simulator", "--where", WHERE, "-o", str(tmp_path / "x.parquet")).code == 0
    assert set(parquet.read_table(tmp_path / "x.parquet")["id"].to_pylist()) == matching(records())


@pytest.mark.parametrize(("asked", "open_"), [((), bytes), (("--compression", "gzip"), gzip.decompress)])
def test_csv_can_go_to_stdout(cli, tmp_path, asked, open_):
    what = ("export", "--simulator", "--limit", "30", "--only", "status,tags,account_ids,fields.priority")
    to_file, to_stdout = cli(*what, "-o", str(tmp_path / "x.csv")), cli(*what, "--format", "csv", *asked, "-o", "-")
    assert open_(to_stdout.out) == (tmp_path / "x.csv").read_bytes()
    assert to_stdout.out.startswith(b"id,status,tags,account_ids,fields.priority\r\n") or asked
    assert to_file.code == to_stdout.code == 0


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            ("-o", "-", "--format", "parquet"),
            "parquet cannot be written to stdout: name a file with --output-file",
        ),
        (("-o", "-", "--format", "sqlite"), "sqlite cannot be written to stdout: name a file with --output-file"),
        (("-o", "x.json"), "unsupported file extension .json: use one of .jsonl, "),
        (("-o", "x.db.gz"), ".db.gz is not supported: SQLite could not open it; compress the finished file"),
    ],
)
def test_a_format_that_can_not_be_written_is_refused_before_the_first_request(cli, api, asked, reason):
    ran = cli("export", *asked)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert ran.err.startswith(f"error: {reason}")


def test_a_table_on_stdout_that_fails_has_no_rest_to_get(cli, api):
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    ran = cli("export", "--format", "csv", "-o", "-")
    assert (ran.code, ran.out) == (6, b"")
    assert "--after" not in ran.err


def test_the_fields_of_a_template_are_columns_whatever_the_cases_are(cli, api, tmp_path):
    path = tmp_path / "none.csv"
    template = next(iter(api.store.cases.values())).template_id
    ran = cli("export", "--where", "status == 'never'", "--columns-from", template, "-o", str(path))
    assert ran.code == 0
    assert any(name.startswith("fields.") for name in path.read_text().strip().split(","))
    assert cli("export", "--columns-from", "ctmpl_nope", "-o", str(path)).code == 4


@pytest.mark.parametrize(("style", "name"), [((), "fields.priority"), (("--column-style", "snake"), "fields_priority")])
def test_columns_are_named_in_the_style_asked_for(cli, api, tmp_path, style, name):
    path = tmp_path / "cases.csv"
    assert cli("export", "--limit", "3", "--only", "fields.priority", *style, "-o", str(path)).code == 0
    assert path.read_text().splitlines()[0] == f"id,{name}"


def test_a_full_disk_under_a_table_is_said_in_one_line(tmp_path):
    resource = pytest.importorskip("resource")

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    ran = subprocess.run(
        [sys.executable, "-m", "persona_cases", "export", "--simulator", "-o", str(tmp_path / "x.csv")],
        stderr=subprocess.PIPE,
        check=False,
        timeout=600,
        preexec_fn=small,
    )
    assert (ran.returncode, ran.stderr) == (1, b"error: cannot read or write: File too large\n")
    assert [path.name for path in tmp_path.iterdir()] in ([], [".x.csv.export"])
