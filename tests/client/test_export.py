"""Exporting to a file."""

from __future__ import annotations

import asyncio
import csv
import gzip
import os
import sqlite3
import stat
from contextlib import closing
from datetime import date

import msgspec
import pytest

from persona_cases import (
    ClientStateError,
    ConflictError,
    InvalidArgumentError,
    Q,
    RetryPolicy,
    ServerError,
    UnprocessableEntityError,
)
from persona_cases.export import Column, ColumnKind, ColumnType, Sink, columns_from
from persona_cases.testing import Fault, Simulator

WHERE = Q.status.eq("open") & ~Q.fields.priority.eq("low")
OLDEST_FIRST = Q.created_at.asc()


@pytest.fixture
async def sim():
    async with Simulator(cases=500) as simulator:
        yield simulator


async def test_the_file_holds_exactly_the_matching_cases_as_they_were_sent(sim, make_client, tmp_path):
    client = make_client(sim)
    target, reports = tmp_path / "open.jsonl", []
    result = await client.cases.export(WHERE, to=target, on_progress=reports.append)
    lines = target.read_bytes().splitlines()
    cases = await client.cases.search(WHERE, sort=OLDEST_FIRST).collect()
    assert lines == [case.raw for case in cases]
    assert {msgspec.json.decode(line)["id"] for line in lines} == {case.id for case in cases}
    last = reports[-1]
    assert (last.cases, last.size, last.pages_left) == (len(cases), target.stat().st_size, 0)
    assert (result.cases, result.size) == (last.cases, last.size)
    assert 1 <= result.pages <= len(sim.requests)
    assert len(cases) > 10


async def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(sim, make_client, tmp_path):
    client = make_client(sim, retry=RetryPolicy(attempts=1))
    target = tmp_path / "cases.jsonl"
    target.write_text("before")
    sim.faults.add(Fault.status(500), nth=3, times=1)
    with pytest.raises(ServerError):
        await client.cases.export(to=target)
    assert target.read_text() == "before"
    assert (await client.cases.export(to=target)).cases == 500
    assert len(target.read_bytes().splitlines()) == 500
    assert list(tmp_path.iterdir()) == [target]


async def test_a_cancelled_export_leaves_nothing_behind(sim, make_client, tmp_path):
    sim.faults.add(Fault.delay(30), nth=2)
    task = asyncio.create_task(make_client(sim).cases.export(to=tmp_path / "cases.jsonl"))
    while len(sim.requests) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_order_limit_and_fields(sim, make_client, tmp_path):
    target = tmp_path / "cases.jsonl"
    result = await make_client(sim).cases.export(to=target, sort=Q.created_at.asc(), only=["created_at"], limit=120)
    times = [msgspec.json.decode(line)["attributes"]["created_at"] for line in target.read_bytes().splitlines()]
    assert result.cases == len(times) == 120
    assert times == sorted(times)


@pytest.mark.parametrize("name", ["missing/cases.jsonl", "."])
async def test_a_path_that_can_not_be_written_is_refused_before_the_first_request(sim, make_client, tmp_path, name):
    with pytest.raises(InvalidArgumentError, match="cannot write"):
        await make_client(sim).cases.export(to=tmp_path / name)
    assert not sim.requests


async def test_pipes_and_devices_are_refused_and_links_are_followed(sim, make_client, tmp_path):
    client = make_client(sim)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidArgumentError, match="not a regular file"):
        await client.cases.export(to=tmp_path / "pipe")
    assert not sim.requests
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "target.jsonl")
    await client.cases.export(to=tmp_path / "link.jsonl", limit=2)
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len((tmp_path / "target.jsonl").read_bytes().splitlines()) == 2


async def test_the_file_has_the_permissions_of_any_new_file(sim, make_client, tmp_path):
    (tmp_path / "other").touch()
    await make_client(sim).cases.export(to=tmp_path / "cases.jsonl", limit=1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


TEXTS = (
    "status",
    "name",
    "resolution",
    "creator_id",
    "creator_type",
    "assignee_id",
    "assigner_id",
    "assigner_type",
    "resolver_id",
    "resolver_type",
    "updater_id",
    "updater_type",
)
TIMES = ("created_at", "updated_at", "assigned_at", "resolved_at", "redacted_at", "sla_expires_at")
RELATED = {
    "account_ids": "accounts",
    "case_comment_ids": "case_comments",
    "inquiry_ids": "inquiries",
    "report_ids": "reports",
    "verification_ids": "verifications",
    "transaction_ids": "txns",
}
HASHES = {"fields.address", "fields.counterparty", "fields.registered_address"}
DAYS = {f"fields.{key}" for key in ("document_expiry", "detected_on", "issued_on", "incorporated_on", "disputed_on")}


def plain(case):
    """What a table holds of a case, as it is in the model."""
    ids = {name: [each.id for each in getattr(case.relationships, api)] for name, api in RELATED.items()}
    one = {
        "case_template_id": case.relationships.case_template.id,
        "case_queue_id": case.relationships.case_queue.id if case.relationships.case_queue else None,
    }
    attributes = {name: getattr(case, name) for name in ("id", *TEXTS, *TIMES)}
    fields = {f"fields.{key}": value for key, value in case.fields.items()}
    row = {**attributes, "tags": list(case.tags), **ids, **one, **fields}
    return {name: value for name, value in row.items() if value is not None}


def in_text(value):
    """How CSV and SQLite write a value that is no text, and no number either."""
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def rows_of_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file, strict=True)]


def rows_of_database(path):
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute("SELECT * FROM cases ORDER BY rowid")
        names = [column[0] for column in cursor.description]
        return [{n: cell for n, cell in zip(names, row, strict=True) if cell is not None} for row in cursor]


def compared(row):
    """What `plain` knows of a row."""
    return {name: value for name, value in row.items() if name not in {"attachments", "raw"}}


async def test_csv_holds_what_a_search_finds(sim, make_client, tmp_path):
    client = make_client(sim)
    result = await client.cases.export(WHERE, to=tmp_path / "open.csv")
    cases = await client.cases.search(WHERE, sort=OLDEST_FIRST).collect()
    expected = [
        {
            name: text if isinstance(text := in_text(value), str) else msgspec.json.encode(text).decode()
            for name, value in plain(case).items()
        }
        for case in cases
    ]
    assert [compared(row) for row in rows_of_csv(tmp_path / "open.csv")] == expected
    assert result.cases == len(cases) > 10


async def test_a_database_holds_what_a_search_finds(sim, make_client, tmp_path):
    client = make_client(sim)
    await client.cases.export(WHERE, to=tmp_path / "open.db", raw=True)
    cases = await client.cases.search(WHERE, sort=OLDEST_FIRST).collect()
    expected = [{name: in_text(value) for name, value in plain(case).items()} for case in cases]
    found = rows_of_database(tmp_path / "open.db")
    assert [compared(row) for row in found] == expected
    assert [row["raw"].encode() for row in found] == [case.raw for case in cases]


async def test_parquet_holds_what_a_search_finds(sim, make_client, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet")
    client = make_client(sim)
    await client.cases.export(WHERE, to=tmp_path / "open.parquet")
    cases = await client.cases.search(WHERE, sort=OLDEST_FIRST).collect()
    expected = [plain(case) for case in cases]
    for row in expected:
        row.update({name: in_text(row[name]) for name in row.keys() & HASHES})
        row.update({name: date.fromisoformat(row[name]) for name in row.keys() & DAYS})
    found = [
        {name: value for name, value in row.items() if value is not None}
        for row in parquet.read_table(tmp_path / "open.parquet").to_pylist()
    ]
    assert [compared(row) for row in found] == expected


async def test_columns_can_be_chosen_and_named_as_in_the_table_or_in_the_api(sim, make_client, tmp_path):
    client, path = make_client(sim), tmp_path / "some.csv"
    fields = ["fields.priority", "account_ids", "case_template", "created_at", "fields.nobody_has_it", "extra.novel"]
    await client.cases.export(to=path, only=fields, limit=20)
    header, *rows = path.read_text().splitlines()
    assert header == "id,fields.priority,account_ids,case_template_id,created_at,fields.nobody_has_it,extra.novel"
    assert len(rows) == 20
    [asked] = {request.params["fields[case]"] for request in sim.requests}
    assert asked == "fields.priority,accounts,case_template,created_at,fields.nobody_has_it,novel"


async def test_a_template_gives_the_columns_of_its_fields(sim, make_client, tmp_path):
    client, path = make_client(sim), tmp_path / "none.csv"
    template = await client.case_templates.get((await client.cases.list().first()).relationships.case_template.id)
    await client.cases.export(Q.status.eq("no such status"), to=path, columns=columns_from(template))
    assert {f"fields.{schema.key}" for schema in template.field_schemas} <= set(path.read_text().strip().split(","))


async def test_compressed_json_lines_hold_the_same_as_others(sim, make_client, tmp_path):
    client, reports = make_client(sim), []
    await client.cases.export(WHERE, to=tmp_path / "open.jsonl")
    result = await client.cases.export(WHERE, to=tmp_path / "open.jsonl.gz", on_progress=reports.append)
    assert gzip.decompress((tmp_path / "open.jsonl.gz").read_bytes()) == (tmp_path / "open.jsonl").read_bytes()
    assert result.size == reports[-1].size == (tmp_path / "open.jsonl.gz").stat().st_size


async def test_the_format_and_the_compression_can_be_given(sim, make_client, tmp_path):
    path = tmp_path / "cases.txt"
    await make_client(sim).cases.export(to=path, format="csv", compression="gzip", only=["status"], limit=3)
    assert gzip.decompress(path.read_bytes()).startswith(b"id,status\r\n")


async def test_a_sink_of_ones_own_gets_the_cases_as_they_were_sent(sim, make_client):
    class Kept(list[bytes]):
        ended = ""

        def write(self, cases):
            self.extend(cases)

        def commit(self):
            self.ended += "committed"

        def discard(self):
            self.ended += "discarded"

    client, kept = make_client(sim), Kept()
    assert isinstance(kept, Sink)
    result = await client.cases.export(WHERE, to=kept)
    assert kept == [case.raw async for case in client.cases.search(WHERE, sort=OLDEST_FIRST)]
    assert (kept.ended, result.cases) == ("committed", len(kept))
    with pytest.raises(InvalidArgumentError, match="format and compression have no effect"):
        await client.cases.export(WHERE, to=kept, format="csv")
    sim.faults.add(Fault.status(422))
    with pytest.raises(UnprocessableEntityError):
        await client.cases.export(WHERE, to=kept)
    assert kept.ended == "committeddiscarded"


@pytest.mark.parametrize("name", ["cases.csv", "cases.db", "cases.jsonl.gz"])
async def test_a_table_that_was_there_is_replaced_only_by_a_whole_one(sim, make_client, tmp_path, name):
    client = make_client(sim, retry=RetryPolicy(attempts=1))
    target = tmp_path / name
    target.write_text("before")
    sim.faults.add(Fault.status(500), nth=3, times=1)
    with pytest.raises(ServerError):
        await client.cases.export(to=target, overwrite=True)
    assert target.read_text() == "before"
    assert (await client.cases.export(to=target, overwrite=True)).cases == 500
    assert target.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cases.json", "unsupported file extension .json"),
        ("cases.db.gz", "SQLite could not open it"),
        ("missing/cases.csv", "cannot write"),
    ],
)
async def test_what_can_not_be_written_is_refused_before_the_first_request(sim, make_client, tmp_path, name, message):
    with pytest.raises(InvalidArgumentError, match=message):
        await make_client(sim).cases.export(to=tmp_path / name)
    assert not sim.requests
    assert list(tmp_path.iterdir()) == []


async def test_an_export_in_order_that_is_refused_leaves_nothing(sim, make_client, tmp_path):
    with pytest.raises(InvalidArgumentError, match="unsupported file extension .json"):
        await make_client(sim).cases.export(to=tmp_path / "cases.json", limit=5)
    assert not [*sim.requests, *tmp_path.iterdir()]


async def interrupted(sim, client, target, **settings):
    """An export that fails at the fourth request, when some cases are safely on disk."""
    # Not one that may mean an unknown cursor, after which an export asks again by time.
    sim.faults.add(Fault.status(409), nth=4, times=1)
    with pytest.raises(ConflictError):
        await client.cases.export(to=target, **settings)
    sim.faults.clear()
    sim.requests.clear()


async def test_the_same_export_goes_on_where_it_was(sim, make_client, tmp_path):
    client, target = make_client(sim), tmp_path / "cases.jsonl"
    await client.cases.export(to=tmp_path / "at_once.jsonl")
    at_once = len(sim.requests)
    await interrupted(sim, client, target)
    assert not target.exists()
    assert (await client.cases.export(to=target)).cases == 500
    assert target.read_bytes() == (tmp_path / "at_once.jsonl").read_bytes()
    assert 0 < len(sim.requests) < at_once


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"only": ["status"]}, "only"),
        ({"format": "csv"}, "format"),
        ({"where": WHERE}, "where"),
        ({"columns": [Column("fields.priority", ColumnType(ColumnKind.JSON))], "format": "csv"}, "columns, format"),
    ],
)
async def test_another_export_to_the_same_file_is_refused_with_what_differs(
    sim, make_client, tmp_path, change, difference
):
    client, target = make_client(sim), tmp_path / "cases.jsonl"
    await interrupted(sim, client, target)
    other = {"where": None, "to": target, **change}
    with pytest.raises(InvalidArgumentError, match=f"with different {difference} exists:"):
        await client.cases.export(**other)
    assert not sim.requests
    await client.cases.export(**other, restart=True)
    assert target.exists()
    assert list(tmp_path.iterdir()) == [target]


async def test_two_exports_to_one_file_at_the_same_time_are_refused(sim, make_client, tmp_path):
    sim.faults.add(Fault.delay(30), nth=2)
    first = asyncio.create_task(make_client(sim).cases.export(to=tmp_path / "cases.jsonl"))
    while len(sim.requests) < 2:
        await asyncio.sleep(0.01)
    with pytest.raises(ClientStateError, match="another export to this file is running"):
        await make_client(sim).cases.export(to=tmp_path / "cases.jsonl")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_before_anything_was_fetched_leaves_nothing(sim, make_client, tmp_path):
    sim.faults.add(Fault.status(422), times=2)
    with pytest.raises(UnprocessableEntityError):
        await make_client(sim).cases.export(to=tmp_path / "cases.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv", "x.parquet", "x.db"])
async def test_a_query_of_several_searches_is_exported_in_every_format(sim, make_client, tmp_path, name):
    if name == "x.parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    deep = (Q.status.eq("open") | ~Q.fields.priority.eq("low")) & (Q.fields.amount.gt(500) | ~Q.resolved_at.is_set())
    client = make_client(sim)
    found = await client.cases.search(deep).collect()
    assert (await client.cases.export(deep, to=tmp_path / name)).cases == len(found) > 10


async def test_an_impossible_query_gives_an_empty_file_without_a_request(sim, make_client, tmp_path):
    nothing = Q.status.eq("open") & ~Q.status.eq("open")
    result = await make_client(sim).cases.export(nothing, to=tmp_path / "x.jsonl")
    assert (result.cases, result.size) == (0, 0)
    assert (tmp_path / "x.jsonl").read_bytes() == b""
    assert not sim.requests


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((("o.jsonl",), {}), 'export(to="cases.jsonl")'),
        ((("o.jsonl",), {"to": "o.jsonl"}), "must be a search expression"),
        (((None, "o.jsonl"), {}), 'export(to="cases.jsonl")'),
        (((WHERE,), {}), 'export(to="cases.jsonl")'),
        (((), {}), 'export(to="cases.jsonl")'),
    ],
)
async def test_a_destination_without_its_name_is_refused_with_the_right_form(sim, make_client, arguments, said):
    args, options = arguments
    with pytest.raises(TypeError) as caught:
        await make_client(sim).cases.export(*args, **options)
    assert said in str(caught.value)
    assert "o.jsonl" not in str(caught.value)
    assert not sim.requests
