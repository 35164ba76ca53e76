"""`persona.events`: the events of an environment, page by page."""

from __future__ import annotations

import json

import pytest

from persona_cases import Case, DecodeError, InvalidArgumentError, NotFoundError, ServerError
from persona_cases.models import Resource
from persona_cases.testing import Fault, Simulator
from persona_cases.webhooks import WebhookEvent, WebhookVerifier, sign


@pytest.fixture
async def eventful():
    """A simulator in which seven things happened to three cases."""
    async with Simulator(cases=0) as sim:
        for _ in range(3):
            case = sim.store.create_case("KYC", fields={"priority": "high"})
            sim.store.update_case(case.id, tags=("vip",))
        sim.events.record("refund.made", payload={"amount": 5})
        yield sim


@pytest.fixture
async def persona(eventful, make_client):
    return make_client(eventful)


def ids(events):
    return [event.id for event in events]


async def test_events_come_newest_first_with_their_cases(persona, eventful):
    events = await persona.events.list(page_size=3).collect()
    assert ids(events) == ids(reversed(eventful.events))
    own, tagged, *_ = events
    assert (own.name, own.case, own.payload) == ("refund.made", None, {"amount": 5})
    assert (tagged.name, tagged.case.tags, tagged.case.fields["priority"]) == ("case.updated-tags", ("vip",), "high")
    assert tagged.context == {"added_tags": ["vip"], "removed_tags": []}
    assert len(eventful.requests.matching("GET", "/events")) == 3


async def test_walks_like_those_over_cases(persona, eventful):
    newest = ids(reversed(eventful.events))
    assert ids(await persona.events.list(limit=4, page_size=2).collect()) == newest[:4]
    page = await persona.events.list(page_size=2)
    assert page.next_cursor == newest[1]
    assert ids(await persona.events.list(after=page.next_cursor).collect()) == newest[2:]
    assert ids(await persona.events.list().resume(newest[4]).collect()) == newest[5:]
    assert ids(await persona.events.list(before=newest[3]).collect()) == newest[:3]
    assert persona.events.list(name="case.created").explain() == "GET /events?filter[name]=case.created"
    assert repr(persona.events.list()) == "<Pager: events, 100 per page>"


async def test_filters_take_one_value_or_several(persona, eventful):
    first, _, second, *_ = eventful.events
    assert ids(await persona.events.list(name="refund.made")) == [eventful.events[-1].id]
    assert len(await persona.events.list(name=("case.created", "refund.made"))) == 4
    assert len(await persona.events.list(object_id=first.object_id)) == 2
    case = await persona.cases.get(second.object_id)
    assert len(await persona.events.list(object_id=case, name="case.created")) == 1
    assert len(await persona.events.list(object_id=[case, first.object_id])) == 4
    assert ids(await persona.events.list(id=[first.id, second.id])) == [second.id, first.id]


async def test_one_event_is_what_a_webhook_would_tell(persona, eventful):
    told = eventful.events[1]
    event = await persona.events.get(told.id)
    assert (event.id, event.name, event.case.id) == (told.id, told.name, told.object_id)
    listed = await persona.events.list(id=told.id).one()
    assert listed == event
    body = listed.raw
    assert json.loads(body) == json.loads(event.raw)
    assert WebhookVerifier("wbhsec_test").verify(body, sign(body, "wbhsec_test")) == event
    with pytest.raises(NotFoundError):
        await persona.events.get("evt_nope")


async def test_events_about_other_objects(persona, eventful):
    account = {"data": {"type": "account", "id": "act_1", "attributes": {}}}
    eventful.events.record("account.created", payload=account)
    event = await persona.events.list(limit=1).one()
    assert isinstance(event, WebhookEvent)
    assert isinstance(event.payload, Resource)
    assert event.payload.id == "act_1"


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": ""},
        {"name": []},
        {"name": "a,b"},
        {"name": b"case.created"},
        {"name": 5},
        {"object_id": [""]},
        {"object_id": [5]},
        {"id": ["a", None]},
        {"page_size": 0},
        {"limit": -1},
        {"after": "evt_1", "before": "evt_2"},
    ],
)
async def test_arguments_that_cannot_work_are_refused_at_once(persona, eventful, arguments):
    with pytest.raises(InvalidArgumentError) as raised:
        persona.events.list(**arguments)
    assert next(iter(arguments)) in str(raised.value)
    assert len(eventful.requests) == 0


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"data": {}}, "/data"),
        ({"data": [{"type": "event", "id": "evt_1", "attributes": {}}]}, "/data/0/attributes/name"),
        ({"data": [{"type": "case", "id": "case_1", "attributes": {}}]}, "/data/0"),
    ],
)
async def test_what_is_no_page_of_events_names_the_place(persona, eventful, document, pointer):
    eventful.faults.next(Fault.rewrite(lambda _: document))
    with pytest.raises(DecodeError) as raised:
        await persona.events.list()
    assert raised.value.pointer == pointer
    assert raised.value.path_template == "/events"


async def test_a_walk_that_fails_says_where_to_resume(persona, eventful):
    eventful.faults.add(Fault.status(500), nth=range(2, 9))
    seen = []
    with pytest.raises(ServerError) as raised:
        async for event in persona.events.list(page_size=3):
            seen.append(event)
    eventful.faults.clear()
    rest = await persona.events.list().resume(raised.value.cursor).collect()
    assert ids([*seen, *rest]) == ids(reversed(eventful.events))


async def test_missed_webhooks_are_caught_up_with(persona, eventful):
    """Walk back to the newest event that is known, and handle what is newer, oldest first."""
    last_known = eventful.events[2].id
    missed = []
    async for event in persona.events.list():
        if event.id == last_known:
            break
        missed.append(event)
    assert ids(reversed(missed)) == ids(eventful.events[3:])
    assert all(event.case is None or isinstance(event.case, Case) for event in missed)
