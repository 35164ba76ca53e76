"""Expressions of any shape, against a server that refuses what is beyond the API's limits."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from persona_cases import (
    Case,
    InvalidArgumentError,
    NotLoadedError,
    PersonaClient,
    Q,
    QueryError,
    QueryTooComplexError,
    RetryPolicy,
    ServerError,
)
from persona_cases.query import Predicate, SearchLimits, Sort, plan
from persona_cases.testing import Fault, Simulator

OPEN, LOW, LARGE = Q.status.eq("open"), Q.fields.priority.eq("low"), Q.fields.amount.gt(1000)
RECENT = Q.created_at.gt("2025-09-01T00:00:00Z")
# Three levels: complements inside of lists.
DEEP = (OPEN | ~LOW) & (LARGE | ~RECENT)
SORTS = [Q.created_at.desc(), Q.created_at.asc(), Q.fields.amount.asc(), Q.sla_expires_at.desc(), Q.status.asc()]


@pytest.fixture
async def sim():
    async with Simulator(cases=300, seed=5) as simulator:
        yield simulator


@pytest.fixture
async def client(sim):
    async with PersonaClient(sim.api_key, base_url=sim.base_url, retry=RetryPolicy(base=0)) as persona:
        yield persona


def value(case: Case, sort: Sort) -> object:
    name = sort.attribute
    return case.fields.get(name.removeprefix("fields.")) if name.startswith("fields.") else getattr(case, name)


def leaves() -> list[Predicate]:
    times = ["2025-03-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-10-01T00:00:00Z"]
    return [
        *(Q.status.eq(status) for status in ("open", "Open", "Approved", "pending")),
        *(Q.fields.priority.eq(priority) for priority in ("low", "medium", "high")),
        *(
            compared
            for amount in (100, 5_000)
            for compared in (Q.fields.amount.gt(amount), Q.fields.amount.lte(amount))
        ),
        *(compared for time in times for compared in (Q.created_at.gte(time), Q.sla_expires_at.lt(time))),
        Q.resolved_at.is_set(),
    ]


def random_expression(rng: random.Random, size: int) -> Predicate:
    if size == 1:
        leaf = rng.choice(leaves())
        return ~leaf if rng.random() < 0.4 else leaf
    first = rng.randint(1, size - 1)
    parts = [random_expression(rng, first), random_expression(rng, size - first)]
    joined = Q.all_of(parts) if rng.random() < 0.5 else Q.any_of(parts)
    return ~joined if rng.random() < 0.2 else joined


def ids(cases: list[Case]) -> list[str]:
    return [case.id for case in cases]


def in_order(cases: list[Case], sort: Sort) -> bool:
    values = [value(case, sort) for case in cases]
    present = [each for each in values if each is not None]
    return values[: len(present)] == sorted(present, reverse=sort.direction == "desc")  # type: ignore[type-var]


def planned() -> Iterator[tuple[int, Predicate]]:
    seeds, count = iter(range(10_000)), 0
    while count < 25:
        seed = next(seeds)
        where = random_expression(random.Random(seed), 4 + seed % 9)
        if len(plan(where, max_searches=64).searches) > 1:
            count += 1
            yield seed, where


@pytest.mark.parametrize(("seed", "where"), [pytest.param(*each, id=f"seed {each[0]}") for each in planned()])
async def test_any_expression_finds_what_it_says_in_order_and_once(sim, client, seed, where):
    everything = await client.cases.list().collect()
    sort = SORTS[seed % len(SORTS)]
    found = await client.cases.search(where, sort=sort, page_size=40, max_searches=64).collect()
    assert len(found) == len(set(ids(found)))
    assert set(ids(found)) == {case.id for case in everything if where.matches(case)}
    assert in_order(found, sort)
    assert {request.status for request in sim.requests} == {200}


async def test_one_search_costs_the_same_requests_as_ever(sim, client):
    wide = Q.fields.priority.in_(["low", "high", *(f"other {number}" for number in range(300))])
    found = await client.cases.search(wide).collect()
    assert found
    assert len(sim.requests) == -(-len(found) // 100)


async def test_a_limit_asks_each_search_for_no_more_than_it_needs(sim, client):
    pager = client.cases.search(DEEP).limit(3)
    assert len(await pager.collect()) == 3
    assert len(sim.requests) == len(plan(DEEP).searches)
    assert {request.params["page[size]"] for request in sim.requests} == {"3"}


async def test_a_walk_goes_on_from_every_page_in_another_process(sim, client):
    pager = client.cases.search(DEEP, sort=Q.fields.amount.asc(), page_size=10)
    pages = [page async for page in pager.pages()]
    whole = [case.id for page in pages for case in page]
    assert len(pages) > 5
    for number, page in enumerate(pages[:-1], start=1):
        async with PersonaClient(sim.api_key, base_url=sim.base_url) as other:
            again = other.cases.search(DEEP, sort=Q.fields.amount.asc(), page_size=10, after=page.next_cursor)
            rest = [case.id async for case in again]
        assert [case.id for earlier in pages[:number] for case in earlier] + rest == whole


async def test_an_error_carries_the_cursor_of_the_merged_walk(sim, client):
    whole = ids(await client.cases.search(DEEP, page_size=10).collect())
    pager = client.with_options(retry=RetryPolicy(attempts=1)).cases.search(DEEP, page_size=10)
    sim.faults.add(Fault.status(500), nth=9)
    found: list[str] = []
    with pytest.raises(ServerError) as caught:
        async for case in pager:
            found.append(case.id)
    assert found
    assert found + ids(await pager.resume(caught.value.cursor).collect()) == whole


async def test_a_cursor_belongs_to_its_query_and_order(client):
    page = await client.cases.search(DEEP, page_size=5)
    for other in (
        client.cases.search(DEEP, sort=Q.created_at.asc()),
        client.cases.search(DEEP & Q.status.eq("open") & ~LOW | (LARGE & ~RECENT & ~OPEN)),
        client.cases.search(OPEN),
    ):
        with pytest.raises(InvalidArgumentError, match="cursor belongs to"):
            other.resume(page.next_cursor)
    with pytest.raises(InvalidArgumentError, match="the id of a case is not a cursor"):
        client.cases.search(DEEP, after="case_1")
    with pytest.raises(InvalidArgumentError, match="backward"):
        client.cases.search(DEEP, before="case_1")


async def test_what_can_not_be_merged_by_is_refused_at_once(sim, client):
    for sort in (Q.assignee.asc(), Q.state.desc(), Q.template.asc(), Q.attribute("newer").asc()):
        with pytest.raises(QueryError, match="cannot be merged by"):
            client.cases.search(DEEP, sort=sort)
        client.cases.search(OPEN, sort=sort)
    assert not sim.requests


async def test_the_attribute_that_orders_is_loaded_besides_those_asked_for(sim, client):
    cases = await client.cases.search(DEEP, only=["status"], sort=Q.fields.amount.desc()).collect()
    assert in_order(cases, Q.fields.amount.desc())
    with pytest.raises(NotLoadedError):
        _ = cases[0].created_at
    assert {request.params["fields[case]"] for request in sim.requests} == {"status,fields.amount"}


async def test_contradictions_send_nothing_and_tautologies_search_for_all(sim, client):
    assert await client.cases.search(OPEN & ~OPEN).collect() == []
    assert not sim.requests
    assert len(await client.cases.search(OPEN | ~OPEN).collect()) == 300


async def test_explaining_shows_the_plan(client):
    lines = client.cases.search(DEEP).explain().splitlines()
    assert lines[0] == "4 searches, run side by side and merged; each case comes once"
    assert sum(line.startswith("POST /cases/search") for line in lines) == 4
    assert client.cases.search(OPEN).explain().startswith("one search: cases where status == 'open'")
    assert client.cases.search(OPEN & ~OPEN).explain().startswith("nothing is sent")


async def test_limits_and_the_number_of_searches_can_be_set(client):
    assert client.cases.search(DEEP, search_limits=SearchLimits(max_depth=3)).explain().startswith("one search")
    with pytest.raises(QueryTooComplexError, match="but max_searches allows 3"):
        client.cases.search(DEEP, max_searches=3)
    with pytest.raises(InvalidArgumentError, match="max_searches"):
        client.cases.search(OPEN, max_searches=0)


async def test_a_server_that_takes_complements_for_free_is_served_with_one_search():
    lenient = SearchLimits(count_negated_leaf=False)
    async with (
        Simulator(cases=200, seed=5, limits=lenient) as sim,
        PersonaClient(sim.api_key, base_url=sim.base_url) as client,
    ):
        cases = await client.cases.search(DEEP, search_limits=lenient).collect()
        assert {request.status for request in sim.requests} == {200}
        everything = await client.cases.list().collect()
        assert set(ids(cases)) == {case.id for case in everything if DEEP.matches(case)}


async def test_a_planned_export_holds_each_case_once(client, tmp_path):
    progress = await client.cases.export(DEEP, to=tmp_path / "deep.jsonl", sort=Q.created_at.asc())
    lines = (tmp_path / "deep.jsonl").read_bytes().splitlines()
    assert len(set(lines)) == len(lines) == progress.cases > 0
