"""Random searches over HTTP give what a plain scan of all cases gives."""

import asyncio
import contextlib

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.query import Predicate, evaluate
from persona_cases.testing import Simulator
from persona_cases.testing.world.catalog import USERS

VALUES = {
    "status": ["open", "pending", "approved", "declined", "", "z"],
    "state": ["initial", "intermediate", "end"],
    "created_at": ["2024-06-01", "2025-06-01T12:00:00Z", "2025-12-01T00:00:00+02:00"],
    "resolved_at": ["2024-06-01", "2025-06-01T12:00:00Z"],
    "assignee": [user.id for user in USERS[:3]],
    "resolution": ["Approved", "Cleared"],
    "fields.priority": ["low", "medium", "high"],
    "fields.risk_score": [0, 10, 49.5, 50, 100, "50", True],
    "fields.amount": [0.5, 5000, 10_000.01],
    "fields.tampered": [True, False, 1, "true"],
    "fields.rules": ["layering", "velocity"],
    "fields.document_expiry": ["2023-01-01", "2025-01-01T00:00:00Z"],
}
leaves = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.fixed_dictionaries(
        {
            "attribute": st.just(name),
            "operator": st.sampled_from(["eq", "gt", "gte", "lt", "lte"]),
            "value": st.sampled_from(VALUES[name]),
        }
    )
)


def level(below):
    clauses = st.lists(below, min_size=1, max_size=4)
    return st.one_of(
        below,
        st.fixed_dictionaries({"not": below}),
        st.fixed_dictionaries({"and": clauses}),
        st.fixed_dictionaries({"or": clauses}),
    )


queries = level(level(leaves))
sorts = st.fixed_dictionaries(
    {
        "attribute": st.sampled_from(["created_at", "status", "resolved_at", "fields.risk_score"]),
        "direction": st.sampled_from(["asc", "desc"]),
    }
)


def shown(case, attribute, templates):
    """What a case shows under an attribute, written down a second time."""
    if attribute.startswith("fields."):
        value = case.fields.get(attribute[7:], {"value": None})["value"]
        return tuple(value) if isinstance(value, list) else value
    if attribute == "state":
        template = templates[case.template_id]
        kinds = {template.initial: "initial", **dict.fromkeys(template.end, "end")}
        return kinds.get(case.status, "intermediate")
    if attribute == "assignee":
        return next((user.id for user in USERS if user.email == case.assignee_id), None)
    return getattr(case, attribute)


@contextlib.contextmanager
def running(sim):
    """The simulator and a session on a loop that outlives the examples."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:

        async def open_session():
            await sim.start()
            return aiohttp.ClientSession(headers={"Authorization": f"Bearer {sim.api_key}"})

        session = loop.run_until_complete(open_session())
        yield loop, session
        loop.run_until_complete(session.close())
        loop.run_until_complete(sim.stop())


@pytest.fixture(scope="module")
def walk():
    """All pages of a search."""
    sim = Simulator(cases=150, seed=11)
    with running(sim) as (loop, session):

        async def pages(body, size):
            ids, link = [], f"/api/v1/cases/search?page[size]={size}"
            while link is not None:
                async with session.post(sim.origin + link, json=body) as response:
                    document = await response.json()
                    assert response.status == 200, document
                ids.append([case["id"] for case in document["data"]])
                link = document["links"]["next"]
            return ids

        yield lambda body, size: (sim.store, loop.run_until_complete(pages(body, size)))


@pytest.fixture(scope="module")
def body_status():
    """The status that a search with a certain body is answered with."""
    sim = Simulator(cases=3)
    with running(sim) as (loop, session):

        async def status(body):
            async with session.post(f"{sim.base_url}/cases/search", json=body) as response:
                return response.status

        yield lambda body: loop.run_until_complete(status(body))


@given(query=queries, sort=sorts, size=st.sampled_from([7, 30, 100]))
def test_searches_equal_a_plain_scan(walk, query, sort, size):
    store, pages = walk({"query": query, "sort": sort}, size)
    predicate = Predicate.from_dict(query)
    matching = {
        case.id: shown(case, sort["attribute"], store.templates)
        for case in store.cases.values()
        if evaluate(predicate, lambda name, case=case: shown(case, name, store.templates))
    }
    ids = [case_id for page in pages for case_id in page]
    assert len(ids) == len(matching)
    assert set(ids) == matching.keys()
    assert all(len(page) == size for page in pages[:-1])
    values = [matching[case_id] for case_id in ids]
    filled = [value for value in values if value is not None]
    assert filled == sorted(filled, reverse=sort["direction"] == "desc")
    assert values == filled + [None] * (len(values) - len(filled)), "nulls come last"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "query",
                    "sort",
                    "page",
                    "and",
                    "or",
                    "not",
                    "attribute",
                    "operator",
                    "value",
                    "direction",
                    "size",
                    "after",
                ]
            ),
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(body=anything)
def test_no_body_is_an_internal_error(body_status, body):
    assert body_status(body) in {200, 400}
