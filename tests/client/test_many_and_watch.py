"""Many cases by id, and new cases as they appear."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from inspect import Parameter, signature

import pytest

from persona_cases import (
    AuthenticationError,
    CaseWatch,
    ClientStateError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PersonaError,
    ServerError,
)
from persona_cases.testing import Fault, Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=40) as simulator:
        yield simulator


async def test_many_cases_come_in_the_order_of_the_ids_and_the_missing_are_named(sim, make_client):
    ids = [*list(sim.store.cases)[:25], "case_none", *list(sim.store.cases)[:2], "case_nil"]
    many = await make_client(sim).cases.get_many(ids, concurrency=4)
    assert [case.id for case in many] == [*ids[:25], *ids[26:28]]
    assert many.missing == ("case_none", "case_nil")
    assert len(sim.requests) == 27
    assert len(many) == 27


async def test_many_cases_stay_within_their_concurrency(sim, make_client):
    under_way = highest = 0

    async def counting(request, call_next):
        nonlocal under_way, highest
        under_way += 1
        highest = max(highest, under_way)
        try:
            return await call_next(request)
        finally:
            under_way -= 1

    client = make_client(sim, middleware=[counting])
    await client.cases.get_many(list(sim.store.cases), concurrency=3)
    assert highest == 3


async def test_many_cases_stay_inside_the_limit(make_client):
    async with Simulator(cases=30, rate_limit="20/1") as sim:
        many = await make_client(sim).cases.get_many(list(sim.store.cases), concurrency=30)
        assert len(many) == 30
        assert {request.status for request in sim.requests} == {200}


async def test_what_failed_comes_back_beside_the_cases(sim, make_client):
    ids = list(sim.store.cases)[:10]
    sim.faults.add(Fault.status(403), path=f"/cases/{ids[2]}")
    sim.faults.add(Fault.status(404, "Page not found"), path=f"/cases/{ids[5]}")
    sim.faults.add(Fault.status(503), path=f"/cases/{ids[7]}")
    many = await make_client(sim).cases.get_many([*ids, "case_none"])
    assert [case.id for case in many] == [id for id in ids if id not in many.failed]
    assert many.missing == ("case_none",)
    assert {id: type(error) for id, error in many.failed.items()} == {
        ids[2]: PermissionDeniedError,
        ids[5]: NotFoundError,
        ids[7]: ServerError,
    }


async def test_a_wrong_address_is_not_taken_for_missing_cases(sim, make_client):
    ids = list(sim.store.cases)[:3]
    sim.faults.add(Fault.status(404, "No route matches"))
    many = await make_client(sim).cases.get_many(ids)
    assert (many.cases, many.missing, list(many.failed)) == ((), (), ids)


async def test_a_refused_key_ends_them_all_and_leaves_nothing_running(sim, make_client):
    client = make_client(sim, api_key="another")
    sim.faults.add(Fault.delay(0.02))
    with pytest.raises(AuthenticationError):
        await client.cases.get_many(list(sim.store.cases), concurrency=4)
    assert len(sim.requests) < 40
    ours = [task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task)]
    assert ours == [asyncio.current_task()]


async def test_a_closed_client_is_said_once(sim, make_client):
    client = make_client(sim)
    await client.close()
    with pytest.raises(ClientStateError):
        await client.cases.get_many(list(sim.store.cases))


async def test_many_cases_are_a_sequence(sim, make_client):
    ids = list(sim.store.cases)[:4]
    many = await make_client(sim).cases.get_many([*ids, "case_none"])
    assert isinstance(many, Sequence)
    assert [many[0].id, many[-1].id, *(case.id for case in many[1:3])] == [ids[0], ids[3], *ids[1:3]]
    assert many[2] in many
    assert many.index(many[3]) == 3
    assert repr(many) == "<ManyCases: 4 cases, 1 missing, 0 failed>"


async def test_no_ids_no_requests(sim, make_client):
    assert (await make_client(sim).cases.get_many([])).cases == ()
    assert not sim.requests


async def test_includes_and_fields_hold_for_all(sim, make_client):
    ids = list(sim.store.cases)[:3]
    many = await make_client(sim).cases.get_many(ids, include=iter(["case-template"]), only=iter(["status"]))
    assert len(many) == 3
    assert len({request.query for request in sim.requests}) == 1
    assert "include=case-template&fields%5Bcase%5D=status" in sim.requests[0].query


class Naps:
    """Sleeps that take no time, and let a test act while they last; too many of them are a fault."""

    def __init__(self, *acts):
        self.acts = list(acts)
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        assert len(self.taken) < 100
        if self.acts:
            act = self.acts.pop(0)
            act()


def nothing() -> None:
    pass


def creating(sim: Simulator, count: int, made: list[str]):
    """Make so many cases, each later than the last: those of one millisecond have no order that the API would tell."""

    def act() -> None:
        for _ in range(count):
            created_at = datetime.now(UTC) + timedelta(seconds=len(made) + 1)
            made.append(sim.store.create_case(created_at=created_at).id)

    return act


def watch(client, naps, since=None, **settings) -> CaseWatch:
    return CaseWatch(
        lambda cursor: client.cases.list(before=cursor, page_size=5),
        since,
        **{"interval": 1, "max_interval": 8, "sleep": naps, **settings},
    )


async def test_new_cases_come_once_and_oldest_first(sim, make_client):
    made: list[str] = []
    naps = Naps(creating(sim, 3, made), nothing, creating(sim, 12, made), creating(sim, 1, made))
    seen = []
    async for case in watch(make_client(sim), naps):
        seen.append(case.id)
        if len(seen) == 16:
            break
    assert seen == made


async def test_a_watch_backs_off_when_nothing_happens_and_hurries_when_something_does(sim, make_client):
    made: list[str] = []
    naps = Naps(*[nothing] * 5, creating(sim, 1, made), nothing, creating(sim, 1, made))
    async for _ in watch(make_client(sim), naps):
        if not naps.acts:
            break
    assert naps.taken == [1, 2, 4, 8, 8, 8, 1, 2]


async def test_a_watch_goes_on_from_its_cursor(sim, make_client):
    client = make_client(sim)
    newest_first = [case.id async for case in client.cases.list()]
    first = watch(client, Naps(), since=newest_first[10])
    assert [(await anext(first)).id for _ in range(4)] == list(reversed(newest_first))[-10:-6]
    second = watch(client, Naps(), since=first.cursor)
    assert [(await anext(second)).id for _ in range(6)] == list(reversed(newest_first))[-6:]


async def test_an_error_of_a_watch_carries_its_cursor(sim, make_client):
    client = make_client(sim)
    newest = await client.cases.list().first()
    watching = watch(client, Naps(lambda: sim.faults.add(Fault.status(503))))
    with pytest.raises(PersonaError) as caught:
        await anext(watching)
    assert caught.value.cursor == watching.cursor == newest.id
    sim.faults.clear()
    made = sim.store.create_case()
    assert (await anext(watching)).id == made.id


async def test_a_watch_of_nothing_yet_gives_the_first_case_ever(make_client):
    async with Simulator(cases=0) as sim:
        watching = watch(make_client(sim), Naps(nothing, sim.store.create_case))
        assert (await anext(watching)).id == next(iter(sim.store.cases))


async def test_a_watch_takes_each_filter_of_the_list_and_durations(sim, make_client):
    client = make_client(sim)
    filters = {
        name: f"{name}-1"
        for name, parameter in signature(client.cases.list).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY and name not in {"only", "limit", "page_size", "after", "before"}
    }
    first = next(iter(sim.store.cases))
    pause = timedelta(milliseconds=1)
    watching = client.cases.watch(since=await client.cases.get(first), interval=pause, max_interval=pause, **filters)
    assert watching.cursor == first
    polled = asyncio.ensure_future(anext(watching))
    async with asyncio.timeout(30):
        while len(sim.requests) < 2:
            await asyncio.sleep(0.001)
    polled.cancel()
    asked = sim.requests[1].params
    assert len(filters) == 6
    assert {f"filter[{name.replace('_', '-')}]": value for name, value in filters.items()}.items() <= asked.items()


async def test_a_total_can_be_given_to_list_and_search(sim, make_client):
    cases = make_client(sim).cases
    for pager in (cases.list(limit=3), cases.search(limit=3)):
        assert len(await pager.collect()) == 3
    assert [request.params["page[size]"] for request in sim.requests] == ["3", "3"]
    for refused in (cases.list, cases.search):
        with pytest.raises(InvalidArgumentError, match="limit"):
            refused(limit=-1)


async def test_a_watch_of_one_template_gives_its_cases_alone(sim, make_client):
    client = make_client(sim)
    template = sim.store.template("AML").id
    async with asyncio.timeout(30):
        watching = client.cases.watch(case_template_id=template, interval=0.01, max_interval=0.01)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0.1)
        sim.store.create_case("KYC")
        wanted = sim.store.create_case("AML")
        assert (await waiting).id == wanted.id
