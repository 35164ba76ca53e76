"""`purge`: redacted cases in files of earlier exports."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing

import pytest

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
            return {row.split(b",")[0].decode(): row for row in content(path).split(b"\r\ncase_")}
        case [".parquet"]:
            import pyarrow.parquet as pq

            return {row["id"]: row for row in pq.read_table(path).to_pylist()}
        case _:
            with closing(sqlite3.connect(path)) as database:
                return {row[0]: row for row in database.execute("SELECT * FROM cases")}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_redacted_is_erased_and_the_rest_stays(name, cli, api, told, tmp_path):
    path = tmp_path / name
    assert cli("export", "-o", str(path)).code == 0
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
    cli("export", "-o", str(fresh))
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
        ("missing.jsonl", None, "there is no file"),
        ("odd.jsonl", b"not JSON\n", "line 1 is not a case"),
        ("odd.csv", b"a,b\r\n1,2\r\n", "first column is not id"),
        ("odd.sqlite", b"", "not an export"),
        ("odd.txt", b"", "unsupported file extension"),
    ],
)
def test_what_is_no_export_is_left_alone(name, data, said, cli, api, tmp_path):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    ran = cli("purge", str(path))
    assert (ran.code, ran.out) == (2, b"")
    assert said in ran.err
    assert data is None or path.read_bytes() == data


def test_a_mirror_is_synced_and_not_purged(cli, api, tmp_path):
    path = tmp_path / "mirror.db"
    cli("sync", "-o", str(path))
    ran = cli("purge", str(path))
    assert ran.code == 2
    assert "a mirror: sync it" in ran.err


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
