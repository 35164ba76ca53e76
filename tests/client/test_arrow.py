"""Cases as Arrow tables: the same columns, types and values as in an export."""

from __future__ import annotations

import csv
import sqlite3
import sys
from contextlib import aclosing, closing

import pytest

from persona_cases import CasePager, DecodeError, InvalidArgumentError, Pager, Q, RetryPolicy, ServerError
from persona_cases.export import Column, ColumnKind, ColumnType, columns_from
from persona_cases.testing import Fault, Simulator

pa = pytest.importorskip("pyarrow", reason="Arrow needs the extra parquet")
parquet = pytest.importorskip("pyarrow.parquet")

PRIORITY = Column("fields.priority", ColumnType(ColumnKind.TEXT))
TWO_SEARCHES = Q.any_of(Q.created_at.lt(f"2025-0{month}-01") & Q.status.ne("Open") for month in range(1, 10)) | (
    (Q.fields.priority.eq("high") | Q.status.eq("Open")) & (Q.fields.priority.ne("low") | Q.status.ne("Closed"))
)


@pytest.fixture
async def sim():
    async with Simulator(cases=250, seed=7) as simulator:
        yield simulator


@pytest.fixture
def persona(sim, make_client):
    return make_client(sim)


@pytest.mark.parametrize("style", ["dotted", "snake"])
@pytest.mark.parametrize("only", [None, ["status", "fields", "created_at"], ["fields.none", "tags", "fields.priority"]])
async def test_a_table_is_what_an_export_writes(persona, tmp_path, only, style):
    path = tmp_path / "cases.parquet"
    oldest = Q.created_at.asc()
    await persona.cases.export(sort=oldest, to=path, only=only, column_style=style)
    table = await persona.cases.search(sort=oldest, only=only).to_arrow(column_style=style)
    written = parquet.read_table(path)
    assert table.schema.equals(written.schema)
    assert table.equals(written)
    assert table.num_rows == 250


@pytest.mark.parametrize("size", [1, 99, 100, 250, 1000])
async def test_batches_hold_so_many_rows_and_make_the_table(persona, size):
    pager = persona.cases.list(only=["status", "fields"]).limit(250 if size > 1 else 3)
    batches = [batch async for batch in pager.arrow_batches(size)]
    assert {batch.num_rows for batch in batches[:-1]} <= {size}
    assert 0 < batches[-1].num_rows <= size
    assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
    assert pa.Table.from_batches(batches).equals(await pager.to_arrow())


async def test_batches_have_one_schema_though_values_differ(make_client):
    async with Simulator(cases=0) as simulator:
        for value in [0, 1, 2, 3, 4, "word"]:
            simulator.store.create_case(fields={"risk_score": value})
        pager = make_client(simulator).cases.list(only=["fields"])
        schemas = [batch.schema async for batch in pager.arrow_batches(2)]
        assert len(schemas) == 3
        assert all(schema.equals(schemas[0]) for schema in schemas)
        assert set((await pager.to_arrow()).column("fields.risk_score").to_pylist()) == {'"word"', *"01234"}


async def test_no_cases_make_a_table_of_the_known_columns_and_no_batch(persona):
    nothing = persona.cases.search(Q.status.eq("nobody has this"))
    table = await nothing.to_arrow([PRIORITY])
    assert table.num_rows == 0
    assert table.schema.names[0] == "id"
    assert table.schema.field("fields.priority").type == pa.string()
    assert [batch async for batch in nothing.arrow_batches()] == []


async def test_declared_columns_are_there_whatever_cases_hold(persona):
    case = await persona.cases.list().first()
    declared = columns_from(await persona.case_templates.get(case.case_template_id))
    one = await persona.cases.list().limit(1).to_arrow(declared)
    assert {column.name for column in declared} <= set(one.schema.names)


async def test_merged_searches_make_a_table_too_of_the_chosen_columns(persona):
    pager = persona.cases.search(TWO_SEARCHES, only=["status"])
    assert "searches" in repr(pager)
    assert (await pager.to_arrow()).schema.names == ["id", "status"]


async def test_pagers_of_cases_stay_such(persona):
    first = await persona.cases.search(page_size=10)
    pager = persona.cases.search().limit(20).resume(first.next_cursor)
    assert isinstance(pager, CasePager)
    assert isinstance(pager, Pager)
    ids = (await pager.to_arrow()).column("id").to_pylist()
    assert ids == [case.id async for case in pager]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"columns": [Column("status", PRIORITY.type)]}, "columns must hold columns of custom fields"),
        ({"columns": "fields.priority"}, "columns must hold columns of custom fields"),
        ({"column_style": "camel"}, "column_style must be 'dotted' or 'snake'"),
    ],
)
async def test_bad_arguments_are_refused_before_the_first_request(persona, sim, arguments, words):
    sent = len(sim.requests)
    with pytest.raises(InvalidArgumentError, match=words):
        await persona.cases.list().to_arrow(**arguments)
    with pytest.raises(InvalidArgumentError, match=words):
        persona.cases.list().arrow_batches(**arguments)
    for size in (0, True, "10"):
        with pytest.raises(InvalidArgumentError, match="size must be a whole number of at least 1"):
            persona.cases.list().arrow_batches(size)
    assert len(sim.requests) == sent


async def test_a_missing_package_is_told_before_the_first_request(persona, sim, monkeypatch):
    sent = len(sim.requests)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidArgumentError, match=r"need pyarrow, .*pip install 'persona-cases\[parquet\]'"):
        await persona.cases.list().to_arrow()
    assert len(sim.requests) == sent


async def test_an_error_carries_the_cursor_and_leaves_no_batch(make_client):
    async with Simulator(cases=250, seed=1) as simulator:
        pager = make_client(simulator, retry=RetryPolicy(attempts=1)).cases.list()
        simulator.faults.add(Fault.status(500), nth=3)
        with pytest.raises(ServerError) as raised:
            _ = [batch async for batch in pager.arrow_batches(10)]
        simulator.faults.clear()
        rest = await pager.resume(raised.value.cursor).to_arrow()
        assert rest.num_rows == 50


async def test_a_case_that_cannot_be_decoded_is_an_error(make_client):
    async with Simulator(cases=3, seed=1) as simulator:
        simulator.faults.add(Fault.garbage(), times=9)
        with pytest.raises(DecodeError):
            await make_client(simulator).cases.list().to_arrow()


async def test_a_loop_over_batches_can_be_left(persona):
    batches = persona.cases.list().arrow_batches(10)
    async with aclosing(batches):
        async for batch in batches:
            assert batch.num_rows == 10
            break


# ---- names in exports ------------------------------------------------------------------------------------------------

NAMES = {"dotted": {"id", "fields.priority"}, "snake": {"id", "fields_priority"}}


@pytest.mark.parametrize("style", NAMES)
async def test_names_of_columns_in_files(persona, tmp_path, style):
    files = {ending: tmp_path / f"cases.{ending}" for ending in ("csv", "db")}
    for path in files.values():
        done = await persona.cases.export(to=path, only=["fields.priority", "fields.none"], column_style=style)
        assert done.empty_columns == (("fields.none",) if style == "dotted" else ("fields_none",))
    with files["csv"].open(encoding="utf-8", newline="") as file:
        assert NAMES[style] <= set(next(csv.reader(file)))
    with closing(sqlite3.connect(files["db"])) as database:
        assert NAMES[style] <= {row[1] for row in database.execute("PRAGMA table_info(cases)")}
        (told,) = database.execute("SELECT value FROM persona_export WHERE name = 'column_style'").fetchone()
    assert told == style


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.jsonl.gz"])
async def test_lines_have_no_columns_to_name(persona, tmp_path, name):
    with pytest.raises(InvalidArgumentError, match="column_style has no effect because only tables have columns"):
        await persona.cases.export(to=tmp_path / name, column_style="snake")
