"""`purge`: redacted cases in files of earlier exports."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
from contextlib import closing

import pytest

from persona_cases.export.spool.workplace import Workplace
from persona_cases.testing import Fault

SECRET = 'a secret, with a comma\r\nand "quotes"'
FORMATS = ["cases.jsonl", "cases.jsonl.gz", "cases.csv", "cases.csv.gz", "cases.parquet", "cases.sqlite"]


@pytest.fixture
def told(api):
    """Cases that are to be redacted, and others, all with a secret."""
    return [api.store.create_case("KYC", fields={"notes": f"{SECRET} zz{number}zz"}).id for number in range(6)]


def content(path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def rows(path) -> dict[str, object]:
    """What the file says of each case."""
    match path.suffixes:
        case [".jsonl", *_]:
            return {json.loads(line)["id"]: line for line in content(path).splitlines()}
        case [".csv", *_]:
            return {row[0]: row for row in csv.reader(content(path).decode().splitlines(keepends=True))}
        case [".parquet"]:
            import pyarrow.parquet as pq

            return {row["id"]: row for row in pq.read_table(path).to_pylist()}
        case _:
            with closing(sqlite3.connect(path)) as database:
                return {row[0]: row for row in database.execute("SELECT * FROM cases")}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_redacted_is_erased_and_the_rest_stays(name, cli, api, told, tmp_path):
    path, raw = tmp_path / name, () if ".jsonl" in name else ("--raw",)
    assert cli("export", *raw, "-o", str(path)).code == 0
    before = rows(path)
    for id in told[:2]:
        api.store.redact_case(id)
    ran = cli("purge", str(path))
    assert (ran.code, json.loads(ran.out)["erased"]) == (0, 2), ran.err
    after = rows(path)
    assert len(after) == len(before)
    assert sum(after[id] != row for id, row in before.items()) == 2
    for number in range(6):
        if name != "cases.parquet":
            assert (f"zz{number}zz".encode() in content(path)) == (number > 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == [name]
    # What an export would write now.
    fresh = tmp_path / f"fresh-{name}"
    cli("export", *raw, "-o", str(fresh))
    written = rows(fresh)
    if ".jsonl" not in name:
        assert [after[id] for id in told[:2] if id in after] == [written[id] for id in told[:2] if id in after]
    kept = path.read_bytes()
    assert json.loads(cli("purge", str(path)).out)["erased"] == 0
    assert path.read_bytes() == kept


def test_a_line_of_few_attributes_gets_no_more(cli, api, told, tmp_path):
    path = tmp_path / "cases.jsonl"
    cli("export", "--only", "status,fields.notes", "-o", str(path))
    before = json.loads(rows(path)[told[0]])
    api.store.redact_case(told[0])
    assert json.loads(cli("purge", str(path)).out)["erased"] == 1
    case = json.loads(rows(path)[told[0]])
    assert case["attributes"].keys() == before["attributes"].keys()
    assert "notes" not in case["attributes"].get("fields", {})
    assert "relationships" not in case


@pytest.mark.parametrize("name", [name for name in FORMATS if ".jsonl" not in name])
def test_a_row_of_few_attributes_gets_no_more(name, cli, api, told, tmp_path):
    path, fresh = tmp_path / name, tmp_path / f"fresh-{name}"
    # Longer than what the reader of CSV takes as a cell by itself.
    long = api.store.create_case("KYC", fields={"notes": f"{SECRET} " * 5_000}).id
    cli("export", "--only", "status,fields.notes", "--raw", "-o", str(path))
    for id in (told[0], long):
        api.store.redact_case(id)
    assert json.loads(cli("purge", str(path)).out)["erased"] == 2
    cli("export", "--only", "status,fields.notes", "--raw", "-o", str(fresh))
    assert rows(path) == rows(fresh)
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT * FROM relationships").fetchall() == []


def test_a_directory_stands_for_the_exports_in_it(cli, api, told, tmp_path):
    (tmp_path / "part").mkdir()
    cli("export", "-o", str(tmp_path / "part" / "one.csv"))
    cli("export", "-o", str(tmp_path / "two.jsonl"))
    (tmp_path / "readme.txt").write_text("no export")
    api.store.redact_case(told[0])
    reports = [json.loads(line) for line in cli("purge", str(tmp_path)).out.splitlines()]
    assert [report["erased"] for report in reports] == [1, 1]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("odd.jsonl", b"not JSON\n", "line 1 is not a case"),
        ("odd.csv", b"a,b\r\n1,2\r\n", "first column is not id"),
        ("odd.sqlite", b"", "not an export"),
        ("odd.parquet", b"PAR1", "not a Parquet file"),
        ("odd.csv.gz", b"nothing", "cannot be read"),
        ("odd.jsonl.zst", b"nothing", "cannot be read"),
        ("odd.csv", b"id,status\r\n\xff\xfe,a\r\n", "cannot be read"),
    ],
)
def test_what_is_no_export_is_left_alone_and_the_rest_is_purged(name, data, said, cli, api, told, tmp_path):
    path, export = tmp_path / name, tmp_path / "z.jsonl"
    path.write_bytes(data)
    cli("export", "-o", str(export))
    api.store.redact_case(told[0])
    ran = cli("purge", str(tmp_path))
    odd, good = map(json.loads, ran.out.splitlines())
    assert (ran.code, odd["path"], good["erased"]) == (1, str(path), 1)
    assert said in odd["error"]
    assert ran.err == "error: 1 file may still hold redacted values: see the lines with an error\n"
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("name", "said"), [("missing.jsonl", "there is no file"), ("odd.txt", "unsupported file extension")]
)
def test_a_path_that_cannot_be_an_export_is_refused(name, said, cli, api, tmp_path):
    (tmp_path / "odd.txt").write_text("text")
    ran = cli("purge", str(tmp_path / name))
    assert (ran.code, ran.out) == (2, b"")
    assert said in ran.err
    assert len(api.requests) == 0


def test_cases_that_were_set_aside_are_erased_too(cli, api, told, tmp_path):
    path = tmp_path / "cases.csv"
    poison = b'"notes":{"type":"string","value":1e400,"old":"%b"}' % b"a secret"

    def alter(answer):
        body = re.sub(rb'"notes":\{"type":"string","value":"a secret[^}]*\}', poison, answer.body)
        return type(answer)(answer.status, answer.headers, body.replace(b'"id":"%b"' % told[5].encode(), b'"id":7'))

    api.faults.add(Fault(name="poison", applied=True, alter=alter))
    assert cli("export", "-o", str(path), "--undecodable", "set_aside").code == 8
    lines = tmp_path / "lines.jsonl"
    api.faults.clear()
    rejected = tmp_path / "cases.csv.rejected.jsonl"
    before = rejected.read_bytes().splitlines()
    # Exports of JSON Lines take most of such cases as they are.
    lines.write_bytes(b"\n".join(line for line in before if b'"id":7' not in line) + b"\n")
    assert len(before) == 6
    api.store.redact_case(told[0])
    ran = cli("purge", str(path), str(lines))
    (export, aside, other) = map(json.loads, ran.out.splitlines())
    assert (ran.code, export["redacted"], aside["erased"], other["erased"]) == (1, 0, 1, 1)
    assert aside["error"] == "1 line without an id that can be read: look into the file"
    after = rejected.read_bytes().splitlines()
    assert [line for line in after if told[0].encode() not in line] == [
        line for line in before if told[0].encode() not in line
    ]
    for data in (rejected.read_bytes(), lines.read_bytes()):
        (line,) = (line for line in data.splitlines() if told[0].encode() in line)
        assert json.loads(line)["attributes"]["redacted_at"]
        assert b"secret" not in line


def test_what_interrupted_exports_left_is_removed_or_told(cli, api, told, tmp_path):
    path, gone = tmp_path / "cases.csv", tmp_path / "other.csv"
    cli("export", "-o", str(path))
    with Workplace(gone) as place:
        (place.directory / "checkpoint.jsonl").write_text("saved progress")
    left = Workplace(path)
    (left.directory / ".cases.csv.0a.part").write_text("a secret")
    left.release()
    part = tmp_path / ".cases.csv.1b2c3d4e.part"
    part.write_text("a secret")
    for purged in ((str(tmp_path),), (str(path), str(gone))):
        ran = cli("purge", *purged)
        export, *left = map(json.loads, ran.out.splitlines())
        assert (ran.code, export["path"], export.get("error")) == (1, str(path), None)
        assert {each["path"] for each in left} == {str(part), str(tmp_path / ".other.csv.export")}
        assert all(each["error"] for each in left)
        assert not (tmp_path / ".cases.csv.export").exists()
    place = Workplace(path)
    running = cli("purge", str(path))
    place.remove()
    assert running.code == 1
    assert "another export to this file is running" in json.loads(running.out)["error"]


def test_a_database_that_somebody_holds_is_told(cli, api, told, tmp_path):
    path = tmp_path / "cases.sqlite"
    cli("export", "-o", str(path))
    api.store.redact_case(told[0])
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cases").fetchone()
        ran = cli("purge", str(path))
    assert ran.code == 1
    assert "another program holds the database" in json.loads(ran.out)["error"]
    assert cli("purge", str(path)).code == 0
    assert b"zz0zz" not in path.read_bytes()


def test_a_mirror_is_synced_and_not_purged(cli, api, tmp_path):
    path = tmp_path / "mirror.db"
    cli("sync", "-o", str(path))
    ran = cli("purge", str(path))
    assert ran.code == 1
    assert "a mirror: sync it" in json.loads(ran.out)["error"]


def test_attached_files_of_redacted_cases_are_deleted(cli, api, tmp_path):
    first, second, *_ = (case for case in api.store.cases.values() if case.attachments)
    files, outside = tmp_path / "files", tmp_path / "outside.txt"
    assert cli("export", "-o", str(tmp_path / "all.jsonl"), "--attachments", str(files)).code == 0
    # Whoever looks for exports in the directory above must not take it for one.
    (files / second.id / "list.csv").write_text("no,export\r\n")
    outside.write_text("stays")
    (files / first.id / "link").symlink_to(outside)
    kept = {path: path.read_bytes() for path in files.rglob("*") if path.is_file() and path.parent.name != first.id}
    api.store.redact_case(first.id)
    ran = cli("purge", str(tmp_path), "--attachments", str(files))
    assert ran.code == 0, ran.err
    attached, export = (json.loads(line) for line in ran.out.splitlines())
    assert (attached["path"], attached["redacted"], attached["erased"]) == (str(files), 1, 1)
    assert export["erased"] == 1
    assert not (files / first.id).exists()
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == kept
    assert outside.read_text() == "stays"
    assert json.loads(cli("purge", str(tmp_path), "--attachments", str(files)).out.splitlines()[0])["erased"] == 0


def test_a_directory_of_attached_files_that_is_not_there_is_named(cli, tmp_path):
    ran = cli("purge", str(tmp_path), "--attachments", str(tmp_path / "files"))
    assert ran.code == 2
    assert "there is no directory at" in ran.err
