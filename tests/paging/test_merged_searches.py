"""Merged walks over searches of a real server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sorted_world import ids

from persona_cases import Case, PersonaClient, Q, ServerError
from persona_cases.paging import BEGINNING, Fetch, Merge, Page, Pager, Position, WalkOptions
from persona_cases.query import Predicate, Sort
from persona_cases.testing import Fault, Simulator

WHERE = (
    Q.fields.priority.eq("high"),
    Q.status.in_(["open", "pending"]),
    Q.fields.amount.gt(0),
)
SORTS = (
    Q.created_at.desc(),
    Q.created_at.asc(),
    Q.updated_at.desc(),
    Q.sla_expires_at.asc(),
    Q.sla_expires_at.desc(),
    Q.fields.priority.asc(),
    Q.fields.amount.desc(),
)


@pytest.fixture
async def sim():
    async with Simulator(cases=300, seed=5) as simulator:
        yield simulator


def sorted_by(case: Case, sort: Sort) -> Any:
    name = sort.attribute
    return case.fields.get(name.removeprefix("fields.")) if name.startswith("fields.") else getattr(case, name)


def fetch_of(client: PersonaClient, where: Predicate, sort: Sort) -> Fetch[Case]:
    async def fetch(position: Position) -> Page[Case]:
        pager = client.cases.search(where, sort=sort, page_size=position.size)
        return await (pager if position.cursor is None else pager.resume(position.cursor))

    return fetch


def merged(client: PersonaClient, sort: Sort, **settings: Any) -> Pager[Case]:
    merge = Merge(
        fetches=tuple(fetch_of(client, where, sort) for where in WHERE),
        key=lambda case: sorted_by(case, sort),
        descending=sort.direction == "desc",
        fingerprint=repr((WHERE, sort)),
    )
    return Pager(fetch=merge, options=WalkOptions(distinct=sort.attribute != "created_at", **settings))


async def union(client: PersonaClient, sort: Sort) -> list[str]:
    """What each search finds, in the order of one search for all cases, equal values search by search."""
    found = [set(ids(await client.cases.search(where).collect())) for where in WHERE]
    groups: dict[Any, list[str]] = {}
    for case in await client.cases.search(sort=sort).collect():
        groups.setdefault(sorted_by(case, sort), []).append(case.id)
    return once(id for group in groups.values() for search in found for id in group if id in search)


def once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


@pytest.mark.parametrize("sort", SORTS, ids=repr)
async def test_merged_searches_give_what_one_search_for_all_of_it_would(sim, make_client, sort):
    client = make_client(sim)
    expected = await union(client, sort)
    assert 100 < len(expected) < 300
    assert ids(await merged(client, sort).collect()) == expected
    assert ids(await merged(client, sort, page_size=7).limit(40).collect()) == expected[:40]


@pytest.mark.parametrize("sort", SORTS, ids=repr)
async def test_another_client_goes_on_from_any_page(sim, make_client, sort):
    expected, got, cursor = await union(make_client(sim), sort), [], BEGINNING
    while True:
        page = await merged(make_client(sim), sort, page_size=20).resume(cursor)
        got += ids(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert got == expected


async def test_a_limit_within_a_page_takes_one_request_a_search(sim, make_client):
    await merged(make_client(sim), Q.created_at.desc()).limit(30).collect()
    assert [request.params["page[size]"] for request in sim.requests] == ["30"] * len(WHERE)


async def test_a_walk_that_failed_goes_on_elsewhere(sim, make_client):
    expected = await union(make_client(sim), Q.created_at.desc())
    sim.requests.clear()
    sim.faults.add(Fault.status(503), nth=range(6, 100))
    got = []
    with pytest.raises(ServerError) as caught:
        async for case in merged(make_client(sim), Q.created_at.desc(), page_size=20):
            got.append(case.id)
    assert 0 < len(got) < len(expected)
    sim.faults.clear()
    rest = await merged(make_client(sim), Q.created_at.desc()).resume(caught.value.cursor).collect()
    assert got + ids(rest) == expected


async def test_cases_that_leave_the_result_as_they_are_worked_off_do_not_disturb_the_walk(sim, make_client):
    client, sort = make_client(sim), Q.created_at.asc()
    expected, got, cursor = await union(client, sort), [], BEGINNING
    while True:
        page = await merged(client, sort, page_size=25).resume(cursor)
        got += ids(page)
        for case in page:
            held = sim.store.cases[case.id].fields.keys() & {"priority", "amount"}
            sim.store.update_case(case.id, status="declined", fields=dict.fromkeys(held))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert got == expected
    assert await union(client, sort) == []


async def test_all_searches_keep_to_the_one_limit():
    async with (
        Simulator(cases=120, rate_limit="10/1") as sim,
        PersonaClient(api_key=sim.api_key, base_url=sim.base_url) as client,
    ):
        await merged(client, Q.created_at.desc(), page_size=10).collect()
        assert len(sim.requests) > 10
        assert {request.status for request in sim.requests} == {200}
