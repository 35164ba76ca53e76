"""Fresh exports: nothing missed and nothing twice while the search index lags behind."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from persona_cases import InvalidArgumentError, Q, QueryError, RetryPolicy, ServerError
from persona_cases.testing import Fault, ManualClock, Simulator

START = datetime(2025, 1, 1, tzinfo=UTC)
LAG = 60.0


@pytest.fixture
async def sim():
    """A simulator whose searches are a minute behind, with cases that were changed and made within that minute."""
    clock = ManualClock()
    async with Simulator(cases=1_500, index_lag=LAG, clock=clock, latency=0.03) as simulator:
        clock.advance(3_600)
        draw = random.Random(7)
        for id_ in draw.sample(sorted(simulator.store.cases), 60):
            simulator.store.update_case(id_, status="closed")
        for _ in range(250):
            simulator.store.create_case(status="open")
            clock.advance(0.1)
        yield simulator


def there(sim, wanted=lambda case: True):
    """The ids of the cases that are there now."""
    return {id_ for id_, case in sim.store.cases.items() if wanted(case)}


def exported(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def checked(cases):
    """The ids of exported cases, each of which comes once and in order."""
    times = [case["attributes"]["created_at"] for case in cases]
    assert times == sorted(times)
    ids = [case["id"] for case in cases]
    assert len(set(ids)) == len(ids)
    return set(ids)


async def test_a_fresh_export_has_what_searches_do_not_know_yet(sim, make_client, tmp_path):
    persona = make_client(sim)
    late, fresh = tmp_path / "late.jsonl", tmp_path / "fresh.jsonl"
    await persona.cases.export(to=late)
    done = await persona.cases.export(to=fresh, consistency="fresh")
    assert len(exported(late)) == 1_500
    assert checked(exported(fresh)) == there(sim)
    assert done.cases == 1_750
    assert len(done.fetchers) > 1


async def test_what_was_just_changed_is_decided_as_it_is_now(sim, make_client, tmp_path):
    path = tmp_path / "closed.jsonl"
    await make_client(sim).cases.export(Q.status.eq("closed"), to=path, consistency="fresh")
    assert checked(exported(path)) == there(sim, lambda case: case.status == "closed")
    assert any(request.params.get("filter[status]") == "closed" for request in sim.requests)


QUERIES = [
    Q.status.eq("open") & ~Q.fields.priority.eq("low"),
    Q.status.in_(["open", "closed"]) | Q.fields.priority.eq("high"),
    Q.created_at.gte(START) & Q.status.eq("open"),
    Q.created_at.between(START, START + timedelta(days=200)),
    ~Q.created_at.lt(START),
    Q.status.eq("open") & Q.status.eq("closed"),
    Q.created_at.gt(START) & Q.created_at.lt(START - timedelta(days=1)),
]


@pytest.mark.parametrize("where", QUERIES, ids=range(len(QUERIES)))
async def test_any_query_that_cases_can_answer_is_exported(sim, make_client, tmp_path, where):
    persona, path = make_client(sim), tmp_path / "some.jsonl"
    await persona.cases.export(where, to=path, consistency="fresh")
    matching = {case.id async for case in persona.cases.list() if where.matches(case)}
    assert checked(exported(path)) == matching


async def test_filters_and_bounds_of_time_spare_requests(sim, make_client, tmp_path):
    persona = make_client(sim)
    template = next(iter(sim.store.templates))
    some = Q.template.eq(template) & Q.created_at.gte(START) & Q.created_at.lt(START + timedelta(days=30))
    done = await persona.cases.export(some, to=tmp_path / "some.jsonl", consistency="fresh")
    listed = [request for request in sim.requests if request.method == "GET"]
    assert done.cases > 0
    assert len(listed) <= 2 + done.cases // 100
    assert all(request.params["filter[case-template-id]"] == template for request in listed)


async def test_cases_made_meanwhile_are_left_out(sim, make_client, tmp_path):
    before, path = there(sim), tmp_path / "all.jsonl"

    def happen(_progress):
        sim.store.create_case(status="open")

    await make_client(sim).cases.export(to=path, consistency="fresh", on_progress=happen)
    assert checked(exported(path)) == before
    assert there(sim) > before


async def test_an_environment_whose_index_is_empty_is_exported_too(make_client, tmp_path):
    clock = ManualClock()
    async with Simulator(cases=0, index_lag=LAG, clock=clock) as sim:
        for _ in range(420):
            sim.store.create_case(status="open")
            clock.advance(0.05)
        path = tmp_path / "all.jsonl"
        done = await make_client(sim).cases.export(to=path, consistency="fresh")
        assert checked(exported(path)) == there(sim)
        assert (done.cases, done.refused) == (420, 0)


async def test_no_case_is_an_export_too(make_client, tmp_path):
    async with Simulator(cases=0) as sim:
        done = await make_client(sim).cases.export(to=tmp_path / "none.jsonl", consistency="fresh")
    assert (done.cases, (tmp_path / "none.jsonl").read_bytes()) == (0, b"")


async def test_cases_of_one_moment_come_once_and_in_one_order_whoever_walks(make_client, tmp_path):
    async with Simulator(cases=0) as sim:
        for minute in range(12):
            for _ in range(130):
                sim.store.create_case(created_at=START + timedelta(minutes=minute))
        persona, files = make_client(sim), [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
        for path in files:
            await persona.cases.export(to=path, consistency="fresh")
        newest_first = [case.id async for case in persona.cases.list()]
    assert [case["id"] for case in exported(files[0])] == newest_first[::-1]
    assert files[0].read_bytes() == files[1].read_bytes()


async def test_a_failed_fresh_export_is_gone_on_with(sim, make_client, tmp_path):
    path = tmp_path / "all.jsonl"
    sim.faults.add(Fault.status(500), nth=32)
    with pytest.raises(ServerError):
        await make_client(sim, retry=RetryPolicy(attempts=1)).cases.export(to=path, consistency="fresh")
    sim.faults.clear()
    persona = make_client(sim)
    with pytest.raises(InvalidArgumentError, match="with different consistency exists"):
        await persona.cases.export(to=path)
    done = await persona.cases.export(to=path, consistency="fresh")
    assert done.resumed
    assert checked(exported(path)) == there(sim)
    # From the beginning it would take 33 at least.
    assert done.pages < 33


async def test_a_choice_of_fields_loads_what_is_decided_on(sim, make_client, tmp_path):
    path = tmp_path / "some.csv"
    where = Q.status.eq("open") & ~Q.fields.priority.eq("low")
    done = await make_client(sim).cases.export(where, to=path, only=["name"], consistency="fresh")
    assert path.read_text(encoding="utf-8").splitlines()[0] == "id,name"
    wanted = there(sim, lambda case: case.status == "open")
    assert 0 < done.cases < len(wanted)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"where": Q.state.eq("open")}, QueryError, "state cannot be evaluated locally"),
        ({"where": Q.status.eq("open") | Q.tag_id.eq("tag_1")}, QueryError, "tag_id cannot be evaluated locally"),
        ({"where": Q.assignee.eq("user_1")}, QueryError, "assignee cannot be evaluated locally"),
        ({"where": Q.attribute("shoe_size").eq(4)}, QueryError, "does not know the attribute"),
        ({"sort": Q.created_at.desc()}, InvalidArgumentError, "without sort and limit"),
        ({"limit": 5}, InvalidArgumentError, "without sort and limit"),
        ({"consistency": "eventual"}, InvalidArgumentError, "'search' or 'fresh'"),
        ({"where": ~Q.template.eq("ctmpl_1"), "only": ["status"]}, InvalidArgumentError, "leave it out"),
    ],
)
async def test_what_can_not_be_is_refused_at_once(sim, make_client, tmp_path, settings, error, said):
    path = tmp_path / "all.jsonl"
    with pytest.raises(error, match=said):
        await make_client(sim).cases.export(**{"to": path, "consistency": "fresh", **settings})
    assert not [*sim.requests, *tmp_path.iterdir()]


async def test_faults_on_the_way_change_nothing(sim, make_client, tmp_path):
    sim.faults.add(Fault.status(503), probability=0.1)
    sim.faults.add(Fault.torn(1_000), probability=0.1)
    persona = make_client(sim, retry=RetryPolicy(base=0, attempts=12))
    path = tmp_path / "all.jsonl"
    await persona.cases.export(to=path, consistency="fresh")
    assert checked(exported(path)) == there(sim)


async def test_a_burst_of_new_cases_does_not_cost_many_requests(make_client, tmp_path):
    clock = ManualClock()
    async with Simulator(cases=1_200, seed=3, index_lag=3_600, clock=clock) as sim:
        clock.advance(7_200)
        for _ in range(150):
            sim.store.create_case()
            clock.advance(0.02)
        done = await make_client(sim).cases.export(to=tmp_path / "all.jsonl", consistency="fresh")
        assert checked(exported(tmp_path / "all.jsonl")) == there(sim)
    assert done.requests < 100
