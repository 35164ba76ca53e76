"""Faults that only show when pages are walked."""

from __future__ import annotations

import pytest

from faults.leaks import works
from faults.scenes import simulated
from persona_cases import DecodeError, PaginationError, Q, ServerError
from persona_cases.testing import Fault

PAGE = 1


def linking_to(url):
    """A page whose link to the next one leads there."""
    return Fault.rewrite(lambda document: {**document, "links": {"prev": None, "next": url}})


def overlapping():
    """Pages that begin with the last case of the page before."""
    before = []

    def change(document):
        data = before + document["data"]
        before[:] = document["data"][-1:]
        return {**document, "data": data}

    return Fault.rewrite(change)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://elsewhere.example.com/api/v1/cases?page[after]=case_1", "another origin"),
        ("//elsewhere.example.com/api/v1/cases?page[after]=case_1", "another origin"),
        ("/api/v1/inquiries?page[after]=inq_1", "another endpoint"),
        ("/api/v1/cases?page[size]=1", "has no page"),
        ("https://[", "not a URL"),
    ],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(url, said):
    async with simulated(linking_to(url))() as scene:
        with pytest.raises(PaginationError, match=said) as caught:
            await scene.client.cases.list().collect()
        assert len(scene.simulator.requests) == 1
        assert "elsewhere" not in str(caught.value)
        del caught
        await scene.heal()
        await works(scene.client)


async def test_a_repeated_cursor_ends_the_walk_after_the_good_items():
    async with simulated(Fault.delay(0))() as scene:
        await scene.heal()
        cursor = scene.case_id
        scene.simulator.faults.add(linking_to(f"/api/v1/cases?page[after]={cursor}"))
        seen = []
        with pytest.raises(PaginationError, match="repeated a cursor") as caught:
            async for case in scene.client.cases.list(page_size=PAGE):
                seen.append(case.id)
        assert caught.value.cursor == cursor
        del caught
        # The oldest case, after which there is none, is where the link leads.
        assert len(seen) == 1
        await works(scene.client)


async def test_cases_that_come_twice_are_handed_out_as_they_come():
    async with simulated(overlapping(), path="/cases*")() as scene:
        ids = [case.id async for case in scene.client.cases.list(page_size=PAGE)]
        assert len(ids) == 5
        assert set(ids) == set(scene.simulator.store.cases)
        await works(scene.client)


async def test_a_search_in_an_order_that_may_change_hands_out_a_case_once():
    async with simulated(overlapping(), path="/cases*")() as scene:
        cases = await scene.client.cases.search(sort=Q.updated_at.desc(), page_size=PAGE).collect()
        assert sorted(case.id for case in cases) == sorted(scene.simulator.store.cases)
        await works(scene.client)


async def test_a_fault_in_the_middle_of_a_walk_tells_where_to_go_on():
    # The pages are fetched one ahead, so the fault happens while the page before is still being read.
    async with simulated(Fault.status(503))() as scene:
        await scene.heal()
        scene.simulator.faults.add(Fault.status(503), nth=[2, 3, 4, 5])
        walk = scene.client.cases.list(page_size=PAGE)
        seen = []
        with pytest.raises(ServerError) as caught:
            async for page in walk.pages():
                seen += [case.id for case in page]
        assert len(seen) == 1
        seen += [case.id async for case in walk.resume(caught.value.cursor)]
        assert sorted(seen) == sorted(scene.simulator.store.cases)
        del caught
        await works(scene.client)


async def test_a_page_that_is_no_page_tells_where_to_go_on():
    async with simulated(Fault.garbage(), times=1)() as scene:
        await scene.heal()
        scene.simulator.faults.add(Fault.garbage(), nth=2)
        walk = scene.client.cases.list(page_size=PAGE)
        with pytest.raises(DecodeError) as caught:
            await walk.collect()
        rest = await walk.resume(caught.value.cursor).collect()
        assert len(rest) == len(scene.simulator.store.cases) - 1
        del caught
        await works(scene.client)
