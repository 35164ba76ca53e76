"""Dividing an export: ranges of creation time, and the files that are made of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import attrs
import pytest

from persona_cases import DecodeError, InvalidArgumentError, PersonaClient, Q, QueryTypeError
from persona_cases.export import TimeRange, columns_from
from persona_cases.testing import Fault, FieldSpec, Simulator

WHERE = Q.status.eq("open") & ~Q.fields.priority.eq("low")
# More than one search of the API can hold.
WIDE = Q.any_of(
    Q.all_of([Q.status.eq("open"), Q.any_of([Q.fields.priority.eq(word), ~Q.assignee.eq(f"user_{word}")])])
    for word in ("low", "high", "medium")
) & ~Q.all_of([Q.status.eq("pending"), Q.any_of([Q.fields.priority.eq("low"), ~Q.sla_expires_at.gt("2025-01-01")])])


@pytest.fixture
async def sim():
    async with Simulator(cases=2000) as simulator:
        yield simulator


def moment_of(time):
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def created(simulator):
    return sorted(moment_of(datetime.fromisoformat(case.created_at)) for case in simulator.store.cases.values())


@pytest.mark.parametrize("count", [1, 4, 8])
async def test_ranges_hold_each_case_once_and_about_as_many(sim, make_client, count):
    ranges = await make_client(sim).cases.ranges(count=count)
    moments = created(sim)
    sizes = [sum(moment in part for moment in moments) for part in ranges]
    assert len(ranges) == count
    assert sum(sizes) == len(moments)
    assert max(sizes) < 1.5 * len(moments) / count
    assert all(one.high == other.low for one, other in pairwise(ranges))
    assert (ranges[0].low, ranges[-1].high) == (None, moments[-1] + 1)
    assert len(sim.requests) <= 2 + min(16, 2 * count)


@pytest.mark.parametrize("where", [WHERE, WIDE], ids=["one search", "several searches"])
async def test_the_ranges_of_a_search_find_what_the_search_finds(make_client, where):
    async with Simulator(cases=400) as simulator:
        client = make_client(simulator)
        ranges = await client.cases.ranges(where, count=5)
        found = [case.id for part in ranges async for case in client.cases.search(part.narrow(where))]
        assert len(ranges) == 5
        assert sorted(found) == sorted([case.id async for case in client.cases.search(where)])
        assert (client.cases.search(where).explain().count("searches") > 0) == (where is WIDE)


async def test_cases_created_later_are_in_no_range(sim, make_client):
    ranges = await make_client(sim).cases.ranges(count=3)
    later = sim.store.create_case("KYC")
    assert not any(moment_of(datetime.fromisoformat(later.created_at)) in part for part in ranges)


async def test_there_is_no_range_of_no_case(sim, make_client):
    assert await make_client(sim).cases.ranges(Q.status.eq("no such status"), count=4) == []
    assert len(sim.requests) == 1


async def test_few_cases_take_one_request_and_are_divided_exactly(make_client):
    async with Simulator(cases=60) as simulator:
        ranges = await make_client(simulator).cases.ranges(count=6)
        moments = created(simulator)
        assert {sum(moment in part for moment in moments) for part in ranges} <= {9, 10, 11}
        assert len(simulator.requests) == 1


async def test_cases_of_one_moment_are_not_divided(make_client):
    async with Simulator(cases=0) as simulator:
        moment = datetime(2025, 1, 1, tzinfo=UTC)
        for _ in range(250):
            simulator.store.create_case("KYC", created_at=moment)
        assert await make_client(simulator).cases.ranges(count=8) == [TimeRange(None, moment_of(moment) + 1)]


@pytest.mark.parametrize("count", [0, -1, 10_001, 2.0, True, None])
async def test_a_number_of_ranges_that_can_not_be_is_refused_at_once(sim, make_client, count):
    with pytest.raises(InvalidArgumentError, match="count must be a number of ranges from 1 to 10,000"):
        await make_client(sim).cases.ranges(count=count)
    assert not sim.requests


async def test_only_expressions_have_ranges(sim, make_client):
    with pytest.raises(QueryTypeError, match="where must be a search expression"):
        await make_client(sim).cases.ranges("open", count=2)


async def test_a_case_without_a_creation_time_is_an_error(sim, make_client):
    case = b'{"type":"case","id":"case_1","attributes":{"created_at":null}}'
    sim.faults.add(Fault.body(b'{"data":[%b],"links":{"prev":null,"next":null}}' % case))
    with pytest.raises(DecodeError, match="no creation time"):
        await make_client(sim).cases.ranges(count=2)


FIELDS = {
    "risk_score": 7,
    "politically_exposed": True,
    "document_expiry": "2030-01-31",
    "risk_tags": ["age"],
    "address": {"city": "Espoo"},
    "notes": "Checked.",
    "priority": "high",
    "scores": [1, 2.5],
}
COLUMNS = ["status", "created_at", "sla_expires_at", "tags", *(f"fields.{key}" for key in FIELDS)]


@pytest.fixture
async def uneven():
    """Cases of one template: in the first half of the time nobody filled in a field."""
    async with Simulator(cases=0) as simulator:
        known = simulator.store.template("KYC")
        fields = (*known.fields, FieldSpec("scores", "array", "Scores", searchable=False))
        template = attrs.evolve(known, id="ctmpl_uneven", prefix="UNE", name="Uneven", fields=fields)
        simulator.store.add_template(template)
        for day in range(60):
            moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)
            simulator.store.create_case("UNE", created_at=moment, fields=FIELDS if day >= 30 else {})
        yield simulator


async def dataset_of(simulator, directory, make_client, **options):
    """Export in parts, side by side, each by a client of its own."""
    directory.mkdir()

    async def export(number: int, part: TimeRange) -> None:
        client: PersonaClient = make_client(simulator)
        await client.cases.export(part.narrow(), to=directory / f"part-{number:04}.parquet", only=COLUMNS, **options)

    ranges = await make_client(simulator).cases.ranges(count=4)
    await asyncio.gather(*(export(number, part) for number, part in enumerate(ranges)))
    assert len(list(directory.iterdir())) == 4


async def test_parts_with_settled_columns_make_one_dataset(uneven, make_client, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet")
    dataset = pytest.importorskip("pyarrow.dataset")
    template = await make_client(uneven).case_templates.get("ctmpl_uneven")
    await dataset_of(uneven, tmp_path / "one", make_client, columns=columns_from(template, settled=True))
    assert len({parquet.read_schema(path) for path in (tmp_path / "one").iterdir()}) == 1
    rows = dataset.dataset(tmp_path / "one").to_table().to_pylist()
    assert [row["id"] for row in rows] == list(uneven.store.cases)
    assert [row["fields.risk_score"] for row in rows] == [None] * 30 + [7] * 30
    assert rows[-1]["fields.scores"] == "[1,2.5]"


async def test_parts_whose_columns_come_from_the_cases_may_differ(uneven, make_client, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet")
    template = await make_client(uneven).case_templates.get("ctmpl_uneven")
    await dataset_of(uneven, tmp_path / "one", make_client)
    await dataset_of(uneven, tmp_path / "two", make_client, columns=columns_from(template))
    for name, differing in (("one", {"risk_score", "politically_exposed", "scores"}), ("two", {"scores"})):
        empty, *_, full = (parquet.read_schema(path) for path in sorted((tmp_path / name).iterdir()))
        found = {field.name for field in empty if field.type != full.field(field.name).type}
        assert {f"fields.{key}" for key in differing} <= found
