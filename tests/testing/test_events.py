"""Events: which changes bring them about, and how they are listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import ManualClock, Simulator

CHANGES = {
    "assignee": lambda store, case: store.update_case(case, assignee_id="maya.okafor@example.com"),
    "queue": lambda store, case: store.update_case(case, queue_id=next(iter(store.queues))),
    "progress": lambda store, case: store.update_case(case, status="pending"),
    "end": lambda store, case: store.update_case(case, status="approved", resolution="Approved"),
    "field": lambda store, case: store.update_case(case, fields={"priority": "high"}),
    "tag": lambda store, case: store.update_case(case, tags=("vip",)),
    "comment": lambda store, case: store.add_comment(case, "Looks good."),
    "object": lambda store, case: store.attach(case, [store.add_object("inquiry")]),
    "file": lambda store, case: store.update_case(case, attachments=(store.upload("a.png", b"a"),)),
    "redaction": lambda store, case: store.redact_case(case),
    "nothing": lambda store, case: store.update_case(case),
}
EVENTS = {
    "assignee": ["case.assigned"],
    "queue": ["case.queue-updated"],
    "progress": ["case.status-updated"],
    "end": ["case.status-updated", "case.resolved"],
    "field": ["case.updated-fields"],
    "tag": ["case.updated-tags"],
    "comment": ["case.updated"],
    "object": ["case.updated"],
    "file": ["case.updated"],
    "redaction": ["case.redacted"],
    "nothing": [],
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_brings_its_events_about(change):
    sim = Simulator(cases=0)
    case = sim.store.create_case("KYC")
    left = CHANGES[change](sim.store, case.id)
    created, *events = sim.events
    assert (created.name, created.case) == ("case.created", case)
    assert [event.name for event in events] == EVENTS[change]
    assert all(event.case == left and event.object_id == case.id for event in events)


def test_a_case_that_is_opened_again_is_told_of():
    sim = Simulator(cases=0)
    case = sim.store.create_case("KYC", status="approved")
    sim.store.update_case(case.id, status="open")
    assert [event.name for event in sim.events][1:] == ["case.status-updated", "case.reopened"]


def test_the_context_tells_which_tags():
    sim = Simulator(cases=0)
    case = sim.store.create_case("KYC", tags=("vip", "urgent"))
    sim.store.update_case(case.id, tags=("urgent", "second-review"))
    assert sim.events[-1].context == {"added-tags": ["second-review"], "removed-tags": ["vip"]}


@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(set(CHANGES) - {"redaction"})), max_size=6))
def test_changes_that_are_one_are_told_of_once(names):
    sim = Simulator(cases=0)
    case = sim.store.create_case("KYC")
    with sim.store.one_change():
        for name in names:
            CHANGES[name](sim.store, case.id)
    told = [event.name for event in sim.events][1:]
    assert len(told) == len(set(told))
    assert set(told) <= {event for name in names for event in EVENTS[name]}
    assert all(event.case == sim.store.cases[case.id] for event in sim.events[1:])


def test_cases_that_were_always_there_bring_no_events():
    assert len(Simulator(cases=50).events) == 0


def test_an_sla_that_expires_is_told_of_once():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    sim = Simulator(cases=0, clock=(clock := ManualClock(start)))
    late = sim.store.create_case("KYC", sla_expires_at=start + timedelta(seconds=60))
    sim.store.create_case("KYC", sla_expires_at=start - timedelta(seconds=60))
    moved = sim.store.create_case("KYC", sla_expires_at=start + timedelta(seconds=60))
    sim.store.update_case(moved.id, sla_expires_at=None)
    done = sim.store.create_case("KYC", sla_expires_at=start + timedelta(seconds=60))
    sim.store.update_case(done.id, resolved_at=start)
    for _ in range(3):
        clock.advance(40)
    assert [event.object_id for event in sim.events.matching("case.sla-expired")] == [late.id]


def test_any_event_can_be_recorded():
    sim = Simulator(cases=0)
    case = sim.store.create_case("KYC")
    assert sim.events.record("case.exported", case.id).case == case
    own = sim.events.record("refund.made", payload={"amount": 5})
    assert (own.case, own.object_id) == (None, None)
    account = sim.events.record("account.created", payload={"data": {"type": "account", "id": "act_1"}})
    assert account.object_id == "act_1"
    for wrong in ({"case_id": "case_nope"}, {"case_id": case.id, "payload": {}}):
        with pytest.raises(InvalidArgumentError):
            sim.events.record("case.exported", **wrong)


@pytest.fixture
async def told(simulate):
    """A caller of a simulator in which something happened."""
    caller = await simulate(cases=0)
    store = caller.sim.store
    for _ in range(5):
        case = store.create_case("KYC", fields={"priority": "high"})
        store.update_case(case.id, tags=("vip",))
    return caller


async def test_events_are_listed_newest_first(told):
    answered = await told.get("/events", params={"page[size]": "100"})
    newest = answered.document["data"][0]
    assert answered.ids == [event.id for event in reversed(told.sim.events)]
    assert answered.document["links"] == {"prev": None, "next": None}
    assert newest["type"] == "event"
    assert newest["attributes"]["name"] == "case.updated-tags"
    assert newest["attributes"]["context"] == {"added-tags": ["vip"], "removed-tags": []}
    assert newest["attributes"]["payload"]["data"]["attributes"]["tags"] == ["vip"]


async def test_pages_of_events_in_both_directions(told):
    forward = await told.walk("/events", "next", params={"page[size]": "3"})
    assert [len(page) for page in forward] == [3, 3, 3, 1]
    ids = [event_id for page in forward for event_id in page]
    assert ids == [event.id for event in reversed(told.sim.events)]
    back = await told.get("/events", params={"page[before]": ids[6], "page[size]": "3"})
    assert back.ids == ids[3:6]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (lambda events: {"name": "case.created"}, range(0, 10, 2)),
        (lambda events: {"name": "case.created, case.updated-tags"}, range(10)),
        (lambda events: {"object-id": events[4].object_id}, (4, 5)),
        (lambda events: {"object-id": f"{events[0].object_id},{events[8].object_id}"}, (0, 1, 8, 9)),
        (lambda events: {"id": f"{events[3].id},evt_nope"}, (3,)),
        (lambda events: {"id": events[3].id, "name": "case.created"}, ()),
    ],
)
async def test_filters_of_events(told, filters, found):
    params = {f"filter[{name}]": value for name, value in filters(told.sim.events).items()}
    answered = await told.get("/events", params=params)
    assert answered.ids == [told.sim.events[at].id for at in sorted(found, reverse=True)]


@pytest.mark.parametrize(
    "params", [{"filter[status]": "open"}, {"include": "case"}, {"page[after]": "evt_nope"}, {"page[size]": "0"}]
)
async def test_what_a_list_of_events_does_not_take(told, params):
    assert (await told.get("/events", params=params)).status == 400


async def test_one_event_in_any_spelling(told):
    event = told.sim.events[1]
    answered = await told.get(f"/events/{event.id}", headers={"Key-Inflection": "camel"})
    attributes = answered.document["data"]["attributes"]
    assert attributes["createdAt"] == event.created_at
    assert attributes["context"] == {"addedTags": ["vip"], "removedTags": []}
    assert "slaExpiresAt" in attributes["payload"]["data"]["attributes"]
    assert attributes["payload"]["data"]["attributes"]["fields"]["priority"]["value"] == "high"
    sparse = await told.get(f"/events/{event.id}", params={"fields[event]": "name"})
    assert sparse.document["data"]["attributes"] == {"name": "case.updated-tags"}
    empty = await told.get(f"/events/{event.id}", params={"include": ""})
    assert empty.document["included"] == []
    assert (await told.get(f"/events/{event.id}", params={"include": "case"})).status == 400
    assert (await told.get("/events/evt_nope")).status == 404


async def test_one_request_is_one_change(simulate):
    caller = await simulate(cases=0)
    inquiry = caller.sim.store.add_object("inquiry")
    await caller.create(meta={"object-ids": [inquiry.id]})
    (event,) = caller.sim.events
    assert event.name == "case.created"
    assert event.case.inquiries == (inquiry,)
