"""A server that ignores the direction of a sort by creation: no walk and no export takes the wrong end silently."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import PaginationError, Q
from persona_cases.resources.reading.creation_order import check_creation_order
from persona_cases.testing import Simulator

START = datetime(2025, 1, 1, tzinfo=UTC)
TIMES = st.lists(st.one_of(st.none(), st.integers(0, 5).map(lambda days: START + timedelta(days=days))), max_size=8)
ASCENDING, DESCENDING = Q.created_at.asc(), Q.created_at.desc()
OUT_OF_ORDER = "out of creation order"


@given(TIMES, st.booleans())
def test_a_page_is_in_order_if_its_times_are_sorted(times, descending):
    known = [time for time in times if time is not None]
    if known == sorted(known, reverse=descending):
        check_creation_order(times, descending=descending)
    else:
        with pytest.raises(PaginationError, match=OUT_OF_ORDER):
            check_creation_order(times, descending=descending)


async def turn_round(request, send):
    """A server that knows one direction alone."""
    body = request.body and request.body.replace(b'"asc"', b'"desc"')
    return await send(attrs.evolve(request, body=body))


@pytest.fixture
async def sim():
    async with Simulator(cases=150) as simulator:
        yield simulator


@pytest.mark.parametrize("only", [None, ["created_at", "status"]])
async def test_a_walk_from_the_wrong_end_raises(sim, make_client, only):
    client = make_client(sim, middleware=[turn_round])
    for pager in (
        client.cases.search(sort=ASCENDING, only=only),
        client.cases.search(sort=ASCENDING, only=only, page_size=10).limit(20),
    ):
        with pytest.raises(PaginationError, match=OUT_OF_ORDER):
            await pager.collect()
    assert len(await client.cases.search(sort=DESCENDING, only=only).collect()) == 150
    # Without creation times, nothing shows the order.
    assert len(await client.cases.search(sort=ASCENDING, only=["status"]).collect()) == 150


async def test_walks_of_several_searches_raise_too(sim, make_client):
    client = make_client(sim, middleware=[turn_round])
    either = (Q.status.eq("open") | ~Q.fields.priority.eq("low")) & (
        Q.fields.amount.gt(500) | ~Q.fields.priority.eq("x")
    )
    pager = client.cases.search(either, sort=ASCENDING)
    assert "searches" in repr(pager)
    with pytest.raises(PaginationError, match=OUT_OF_ORDER):
        await pager.collect()


@pytest.mark.parametrize("undecodable", ["raise", "set_aside"])
@pytest.mark.parametrize("settings", [{}, {"only": ["status"]}, {"sort": ASCENDING}])
async def test_an_export_with_a_limit_raises(sim, make_client, tmp_path, settings, undecodable):
    client = make_client(sim, middleware=[turn_round])
    with pytest.raises(PaginationError, match=OUT_OF_ORDER):
        await client.cases.export(to=tmp_path / "x.csv", limit=20, undecodable=undecodable, **settings)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PaginationError, match=OUT_OF_ORDER):
        await client.cases.export(to=io.BytesIO(), **settings)


@pytest.mark.parametrize("sort", [ASCENDING, DESCENDING])
async def test_walks_in_order_and_backward_pass(sim, make_client, sort):
    client = make_client(sim)
    cases = await client.cases.search(sort=sort).collect()
    assert len(cases) == 150
    before = await client.cases.search(sort=sort, before=cases[100].id, page_size=30).collect()
    assert {case.id for case in before} == {case.id for case in cases[:100]}
