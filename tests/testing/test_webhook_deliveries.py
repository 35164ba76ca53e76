"""Webhooks of the simulator, as a receiver sees them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.testing import ManualClock, Mishap, Simulator
from persona_cases.webhooks import SignatureError, WebhookReceiver, WebhookVerifier

SECRET = "wbhsec_test"
RETRIES = (3, 64, 729, 4_096, 15_625, 46_656, 117_649)


class Receiver:
    """An ASGI application that answers as told, and keeps what came."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.verifier = WebhookVerifier(SECRET)
        self.came = []
        self.refused = []

    @property
    def names(self):
        return [event.name for event in self.came]

    async def __call__(self, scope, receive, send):
        message = await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        try:
            event = self.verifier.verify(message["body"], headers.get("persona-signature"))
        except SignatureError as error:
            self.refused.append(error.reason)
            status = 401
        else:
            self.came.append(event)
            status = self.statuses.pop(0) if self.statuses else 204
        self.headers = headers
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def delivering(receiver, **settings):
    async with Simulator(cases=0, clock=ManualClock()) as sim:
        case = sim.store.create_case("KYC")
        webhook = sim.webhooks.deliver_to(receiver, path="/webhooks", secret=SECRET, **settings)
        yield sim, case.id, webhook


async def test_every_change_arrives_as_it_was():
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, _webhook), sim.client() as persona:
        await persona.cases.set_status(case_id, sim.store.template("KYC").intermediate[0])
        await persona.cases.add_tag(case_id, "checked")
        await persona.cases.add_comment(case_id, "Done.")
        assert await sim.webhooks.drain(60)
        status, tags, comment = receiver.came
        assert (status.name, status.case.id, "checked" in status.case.tags) == ("case.status-updated", case_id, False)
        assert (tags.name, tags.context["added-tags"]) == ("case.updated-tags", ["checked"])
        assert comment.case.relationships.case_comments[-1].id == sim.store.cases[case_id].comments[-1].id
        assert [delivery.status for delivery in sim.webhooks.deliveries] == ["delivered"] * 3


async def test_retries_come_on_schedule_until_one_is_accepted():
    receiver = Receiver(500, 500, 204)
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.store.update_case(case_id, tags=("a",))
        for wait, attempts in ((0, 1), (2.9, 1), (0.2, 2), (63, 2), (1.1, 3), (100_000, 3)):
            sim.clock.advance(wait)
            assert await sim.webhooks.drain(60)
            assert len(receiver.came) == attempts
        (delivery,) = sim.webhooks.deliveries
        assert [attempt.status for attempt in delivery.attempts] == [500, 500, 204]
        assert len({event.raw for event in receiver.came}) == 1
        assert receiver.headers["persona-webhook-attempts-made"] == "3"
        assert receiver.headers["persona-webhook-attempts-left"] == "5"
        assert receiver.headers["persona-webhook-first-attempted-at"] == str(int(delivery.attempts[0].at.timestamp()))


@pytest.mark.parametrize("status", [203, 302, 404, 500])
async def test_after_eight_attempts_a_delivery_has_failed(status):
    receiver = Receiver(*[status] * 8)
    async with delivering(receiver) as (sim, case_id, webhook):
        sim.store.update_case(case_id, tags=("a",))
        for wait in (0, *RETRIES, 10_000_000):
            sim.clock.advance(wait)
            assert await sim.webhooks.drain(60)
        (delivery,) = sim.webhooks.deliveries
        assert (delivery.status, len(delivery.attempts), delivery.attempts_left) == ("failed", 8, 0)
        webhook.resend(delivery)
        assert await sim.webhooks.drain(60)
        assert delivery.status == "delivered"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_these_statuses_are_success(status):
    receiver = Receiver(status)
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.store.update_case(case_id, tags=("a",))
        await sim.webhooks.drain(60)
        assert sim.webhooks.deliveries[0].status == "delivered"


@pytest.mark.parametrize(
    ("mishap", "reason"),
    [
        (Mishap.forged(), "mismatch"),
        (Mishap.altered(), "mismatch"),
        (Mishap.unsigned(), "missing"),
        (Mishap.malformed(), "malformed"),
        (Mishap.stale(), "expired"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
async def test_bad_signatures_are_followed_by_good_ones(mishap, reason):
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.webhooks.mishaps.next(mishap)
        sim.store.update_case(case_id, tags=("a",))
        await sim.webhooks.drain(60)
        assert (receiver.refused, receiver.came) == ([reason], [])
        sim.clock.advance(3)
        await sim.webhooks.drain(60)
        assert receiver.names == ["case.updated-tags"]
        assert sim.webhooks.deliveries[0].mishap == mishap.name


async def test_duplicates_at_once_and_later():
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.webhooks.mishaps.next(Mishap.twice(), Mishap.twice(apart=60))
        sim.store.update_case(case_id, tags=("a",))
        sim.store.update_case(case_id, tags=("b",))
        await sim.webhooks.drain(60)
        first, again, second = receiver.came
        assert first.id == again.id != second.id
        sim.clock.advance(60)
        await sim.webhooks.drain(60)
        assert [event.id for event in receiver.came[3:]] == [second.id]


async def test_an_event_sent_twice_at_once_is_handled_once():
    handled, may_end = [], asyncio.Event()
    receiver = WebhookReceiver(WebhookVerifier(SECRET))

    @receiver.on("*")
    async def handle(event):
        await may_end.wait()
        handled.append(event.id)

    async def app(scope, receive, send):
        reply = await receiver.receive((await receive())["body"], dict(scope["headers"])[b"persona-signature"].decode())
        may_end.set()
        await send({"type": "http.response.start", "status": reply.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with delivering(app) as (sim, case_id, _webhook):
        sim.webhooks.mishaps.next(Mishap.twice())
        sim.store.update_case(case_id, tags=("a",))
        await sim.webhooks.drain(60)
        assert sorted(each.attempts[0].status for each in sim.webhooks.deliveries) == [204, 503]
        sim.clock.advance(3)
        await sim.webhooks.drain(60)
        assert handled == [sim.events[-1].id]
        assert {each.status for each in sim.webhooks.deliveries} == {"delivered"}


async def test_events_that_are_overtaken():
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.webhooks.mishaps.next(Mishap.late(10))
        for tag in "ab":
            sim.store.update_case(case_id, tags=(tag,))
        await sim.webhooks.drain(60)
        sim.clock.advance(10)
        with sim.webhooks.reordered():
            for tag in "cde":
                sim.store.update_case(case_id, tags=(tag,))
        await sim.webhooks.drain(60)
        assert [event.case.tags for event in receiver.came] == [("b",), ("a",), ("e",), ("d",), ("c",)]
        newest = max(receiver.came, key=lambda event: event.created_at).case
        assert not any(event.is_older_than(newest) for event in receiver.came if event.case.tags == ("e",))


async def test_mishaps_by_name_and_share():
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, _webhook):
        sim.webhooks.mishaps.add(Mishap.unsigned(), event="case.redacted")
        sim.webhooks.mishaps.add(Mishap.twice(), probability=0.5)
        for number in range(20):
            sim.store.update_case(case_id, tags=(str(number),))
        sim.store.redact_case(case_id)
        await sim.webhooks.drain(60)
        assert 20 < len(receiver.came) < 40
        assert receiver.refused == ["missing"]
        sim.webhooks.mishaps.clear()
        for wrong in ({"probability": 2}, {"times": 0}):
            with pytest.raises(InvalidArgumentError):
                sim.webhooks.mishaps.add(Mishap.twice(), **wrong)


async def test_only_the_events_that_are_asked_for():
    receiver = Receiver()
    async with delivering(receiver, events=["case.re*", "case.created"]) as (sim, case_id, _webhook):
        sim.store.update_case(case_id, tags=("a",))
        sim.store.create_case("KYC")
        sim.store.redact_case(case_id)
        sim.events.record("refund.made", payload={"amount": 5})
        await sim.webhooks.drain(60)
        assert receiver.names == ["case.created", "case.redacted"]


@pytest.mark.parametrize("inflection", ["kebab", "snake", "camel"])
async def test_bodies_in_every_spelling_with_what_they_include(inflection):
    receiver = Receiver()
    async with delivering(receiver, key_inflection=inflection, include=["case-template"]) as (sim, _, _):
        case = sim.store.create_case("KYC", fields={"priority": "high"})
        await sim.webhooks.drain(60)
        (event,) = receiver.came
        assert (event.case.id, event.case.fields["priority"]) == (case.id, "high")
        assert event.case.template.name == "KYC review"


async def test_a_secret_is_rotated_while_both_sign():
    receiver = Receiver()
    async with delivering(receiver) as (sim, case_id, webhook):
        webhook.rotate_secret("wbhsec_new", expires_in=60)
        sim.store.update_case(case_id, tags=("a",))
        await sim.webhooks.drain(60)
        assert len(receiver.headers["persona-signature"].split()) == 2
        sim.clock.advance(60)
        sim.store.update_case(case_id, tags=("b",))
        await sim.webhooks.drain(60)
        assert (len(receiver.came), receiver.refused) == (1, ["mismatch"])
        receiver.verifier = WebhookVerifier("wbhsec_new")
        sim.clock.advance(3)
        await sim.webhooks.drain(60)
        assert len(receiver.came) == 2


async def test_a_disabled_webhook_cancels_what_is_pending():
    receiver = Receiver(500)
    async with delivering(receiver) as (sim, case_id, webhook):
        sim.store.update_case(case_id, tags=("a",))
        await sim.webhooks.drain(60)
        webhook.disable()
        sim.store.update_case(case_id, tags=("b",))
        sim.clock.advance(1000)
        await sim.webhooks.drain(60)
        webhook.enable()
        sim.store.update_case(case_id, tags=("c",))
        await sim.webhooks.drain(60)
        assert [event.case.tags for event in receiver.came] == [("a",), ("c",)]
        assert [delivery.status for delivery in webhook.deliveries] == ["cancelled", "delivered"]


async def test_an_application_that_fails_or_never_answers():
    async def failing(scope, receive, send):
        raise ValueError("Sheila Miller")

    async def endless(scope, receive, send):
        await asyncio.Event().wait()

    async def silent(scope, receive, send):
        pass

    async def after(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await receive()
        await receive()
        raise ValueError("after the answer")

    async with Simulator(cases=1, clock=ManualClock()) as sim:
        for app in (failing, endless, silent, after):
            # One that answers has all the time that a busy machine takes.
            patience = 0.05 if app is endless else 60
            sim.webhooks.deliver_to(app, path="/", secret=SECRET, timeout=patience)
        sim.store.update_case(next(iter(sim.store.cases)), tags=("a",))
        assert await sim.webhooks.drain(60)
        assert [delivery.attempts[0].error for delivery in sim.webhooks.deliveries] == [
            "ValueError",
            "TimeoutError",
            "ConnectionError",
            None,
        ]


async def test_over_http_and_across_a_restart():
    bodies = []

    async def hook(request):
        bodies.append((await request.json(), request.headers["Authorization"]))
        return web.Response(status=302 if len(bodies) == 1 else 204, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?token=1"
    try:
        sim = Simulator(cases=0, clock=ManualClock())
        sim.webhooks.deliver_to(url, secret=SECRET, headers={"Authorization": "Basic eA=="})
        sim.store.create_case("KYC")
        with pytest.raises(ClientStateError):
            await sim.webhooks.drain()
        await sim.start()
        await sim.webhooks.drain(60)
        await sim.stop()
        sim.clock.advance(3)
        await sim.start()
        await sim.webhooks.drain(60)
        (delivery,) = sim.webhooks.deliveries
        assert [attempt.status for attempt in delivery.attempts] == [302, 204]
        assert delivery.target == url.partition("?")[0]
        assert bodies[0] == bodies[1]
        await sim.stop()
    finally:
        await runner.cleanup()
    assert json.loads(delivery.attempts[0].body) == bodies[0][0]


async def test_an_sla_that_expires_is_delivered():
    receiver = Receiver()
    async with delivering(receiver) as (sim, _, _), sim.client() as persona:
        await persona.cases.create(sim.store.template("KYC").id, sla_expires_in=60)
        sim.clock.advance(61)
        await sim.webhooks.drain(60)
        assert receiver.names == ["case.created", "case.sla-expired"]


async def test_with_the_real_clock_an_sla_and_a_retry_come_by_themselves():
    receiver = Receiver()
    async with Simulator(cases=0) as sim:
        sim.webhooks.deliver_to(receiver, path="/", secret=SECRET, events="case.sla-expired")
        sim.webhooks.mishaps.next(Mishap.late(0.01), event="case.sla-expired")
        soon = sim.clock.now()
        sim.store.create_case("KYC", sla_expires_at=soon.replace(microsecond=0).replace(year=soon.year + 1))
        with_sla = sim.store.create_case("KYC")
        sim.store.update_case(with_sla.id, sla_expires_at=soon + timedelta(milliseconds=20))
        async with asyncio.timeout(60):
            while not receiver.came:
                await asyncio.sleep(0.005)
        assert receiver.came[0].case.id == with_sla.id


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("ftp://example.com/x", {}),
        ("http://example.com/x", {"path": "/x"}),
        ("http://example.com/x", {"secret": ""}),
        ("http://example.com/x", {"events": []}),
        ("http://example.com/x", {"include": ["nonsense"]}),
        ("http://example.com/x", {"key_inflection": "upper"}),
        ("http://example.com/x", {"timeout": 0}),
        (print, {}),
        (print, {"path": "x"}),
        (5, {"path": "/x"}),
    ],
)
def test_webhooks_that_cannot_work_are_refused(target, settings):
    with pytest.raises(InvalidArgumentError):
        Simulator(cases=0).webhooks.deliver_to(target, **{"secret": SECRET, **settings})
