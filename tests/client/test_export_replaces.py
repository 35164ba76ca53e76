"""What an export may replace, and what it tells about itself in the file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from persona_cases import InvalidArgumentError, Q
from persona_cases.testing import Simulator

NAMES = ["x.db", "x.jsonl", "x.csv", "x.parquet"]


@pytest.fixture
async def sim():
    async with Simulator(cases=30) as simulator:
        yield simulator


def database(path, *statements):
    with closing(sqlite3.connect(path)) as opened:
        for statement in statements:
            opened.execute(statement)
        opened.commit()


def needs(name):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("order", [{}, {"sort": Q.created_at.desc()}], ids=["ranges", "in order"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_database_of_somebody_else_is_refused_before_the_first_request(sim, make_client, tmp_path, name, order):
    needs(name)
    path = tmp_path / name
    database(path, "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('kept')")
    before = path.read_bytes()
    cases = make_client(sim).cases
    with pytest.raises(InvalidArgumentError, match="not an earlier export") as caught:
        await cases.export(to=path, **order)
    assert "customers" not in str(caught.value)
    assert path.read_bytes() == before
    assert not sim.requests
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (await cases.export(to=path, overwrite=True, **order)).cases == 30


async def test_an_earlier_export_is_replaced(sim, make_client, tmp_path):
    cases, path = make_client(sim).cases, tmp_path / "x.db"
    await cases.export(Q.status.eq("open"), to=path)
    assert (await cases.export(to=path)).cases == 30
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT count(*) FROM cases").fetchone() == (30,)


@pytest.mark.parametrize("kind", ["TABLE mine (a)", "VIEW mine AS SELECT id FROM cases"])
async def test_an_earlier_export_with_tables_of_ones_own_is_refused(sim, make_client, tmp_path, kind):
    cases, path = make_client(sim).cases, tmp_path / "x.db"
    await cases.export(to=path)
    database(path, f"CREATE {kind}")
    with pytest.raises(InvalidArgumentError, match="has other tables"):
        await cases.export(to=path)


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
async def test_a_database_that_is_being_changed_is_refused_in_any_case(sim, make_client, tmp_path, ending):
    cases, path = make_client(sim).cases, tmp_path / "x.db"
    await cases.export(to=path)
    (tmp_path / f"x.db{ending}").write_bytes(b"changes")
    with pytest.raises(InvalidArgumentError, match="changing the database"):
        await cases.export(to=path, overwrite=True)


async def test_a_link_to_a_database_is_one(sim, make_client, tmp_path):
    database(tmp_path / "real.db", "CREATE TABLE customers (name TEXT)")
    (tmp_path / "x.db").symlink_to(tmp_path / "real.db")
    with pytest.raises(InvalidArgumentError, match="not an earlier export"):
        await make_client(sim).cases.export(to=tmp_path / "x.db")


async def test_a_file_that_is_no_database_is_not_replaced_by_one(sim, make_client, tmp_path):
    path = tmp_path / "x.db"
    path.write_text("notes")
    with pytest.raises(InvalidArgumentError, match="not a database"):
        await make_client(sim).cases.export(to=path)
    path.write_text("")
    assert (await make_client(sim).cases.export(to=path)).cases == 30


async def test_other_files_are_replaced(sim, make_client, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("notes")
    assert (await make_client(sim).cases.export(to=path)).cases == 30


@pytest.mark.parametrize("order", [{}, {"sort": Q.created_at.desc(), "limit": 20}], ids=["ranges", "in order"])
async def test_a_database_tells_what_made_it(sim, make_client, tmp_path, order):
    done = await make_client(sim).cases.export(Q.status.eq("open"), to=tmp_path / "x.db", **order)
    with closing(sqlite3.connect(tmp_path / "x.db")) as opened:
        told = dict(opened.execute("SELECT name, value FROM persona_export"))
    assert told["cases"] == done.cases > 0
    assert told["snapshot_at"] == done.to_dict()["snapshot_at"]
    assert told["library"].startswith("persona-cases ")
    assert json.loads(told["where"]) == Q.status.eq("open").to_dict()
    assert told["sort" if order else "consistency"] == ("created_at:desc" if order else "search")


async def test_parquet_tells_what_made_it(sim, make_client, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    done = await make_client(sim).cases.export(Q.status.eq("open"), to=tmp_path / "x.parquet")
    told = json.loads(parquet.read_metadata(tmp_path / "x.parquet").metadata[b"persona_export"])
    assert told["cases"] == done.cases > 0
    assert told["where"] == Q.status.eq("open").to_dict()
    assert told["snapshot_at"] == done.to_dict()["snapshot_at"]


async def test_a_column_without_a_value_is_named(sim, make_client, tmp_path):
    only = ["status", "fields.priorty"]
    done = await make_client(sim).cases.export(to=tmp_path / "x.csv", only=only)
    assert done.empty_columns == ("fields.priorty",)
    assert "no case has a value in fields.priorty" in str(done)
    done = await make_client(sim).cases.export(to=tmp_path / "x.csv", only=only, limit=3)
    assert done.empty_columns == ("fields.priorty",)
    done = await make_client(sim).cases.export(to=tmp_path / "x.jsonl", only=only)
    assert done.empty_columns == ()
