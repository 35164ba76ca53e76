"""Each event to its handlers, once."""

from __future__ import annotations

import asyncio

import pytest
from deliveries import delivery

from persona_cases import ClientStateError, InvalidArgumentError
from persona_cases.webhooks import MemorySeen, WebhookReceiver, WebhookVerifier, sign

SECRET = "wbhsec_test"


@pytest.fixture
def handled():
    return []


def receiver(**settings):
    return WebhookReceiver(WebhookVerifier(SECRET), **settings)


def listening(handled, *names, **settings):
    made = receiver(**settings)

    @made.on(*(names or ("*",)))
    async def note(event):
        handled.append(event.id)

    return made


async def send(to, body):
    reply = await to.receive(body, sign(body, SECRET))
    return reply.status, reply.reason


async def test_an_event_is_handled_once(handled):
    made = listening(handled)
    assert await send(made, delivery(id="evt_1")) == (204, "handled")
    assert await send(made, delivery(id="evt_1")) == (204, "seen")
    assert await send(made, delivery(id="evt_2")) == (204, "handled")
    assert handled == ["evt_1", "evt_2"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("case.created", (204, "handled")), ("case.redacted", (204, "handled")), ("inquiry.created", (204, "ignored"))],
)
async def test_handlers_by_name_and_pattern(handled, name, expected):
    assert await send(listening(handled, "case.created", "case.re*"), delivery(name)) == expected


async def test_an_event_whose_handler_failed_may_come_again():
    failures, told = [ValueError("Sheila Miller"), None], []
    made = receiver(on_error=lambda event, error: told.append((event.id, type(error))))

    @made.on("*")
    async def fail_once(_):
        if (failure := failures.pop(0)) is not None:
            raise failure

    assert await send(made, delivery()) == (500, "failed")
    assert await send(made, delivery()) == (204, "handled")
    assert told == [("evt_1", ValueError)]


async def test_the_log_says_which_kind_of_error_and_nothing_of_its_text(caplog):
    made = receiver()

    @made.on("*")
    async def fail(_):
        raise ValueError("a secret text")

    await send(made, delivery())
    assert "webhook.failed event=case.created error=ValueError" in caplog.text
    assert "a secret text" not in caplog.text


async def test_the_same_event_twice_at_the_same_time_is_handled_once(handled):
    made, may_end = receiver(answer_within=0), asyncio.Event()

    @made.on("*")
    async def slow(event):
        await may_end.wait()
        handled.append(event.id)

    assert await send(made, delivery()) == (202, "working")
    assert await send(made, delivery()) == (503, "running")
    may_end.set()
    assert await made.drain()
    assert await send(made, delivery()) == (204, "seen")
    assert handled == ["evt_1"]


async def test_no_more_events_at_a_time_than_allowed():
    made, may_end = receiver(answer_within=0, max_running=2), asyncio.Event()

    @made.on("*")
    async def slow(_):
        await may_end.wait()

    replies = [await send(made, delivery(id=f"evt_{number}")) for number in range(3)]
    assert replies == [(202, "working"), (202, "working"), (503, "busy")]
    assert not await made.drain(0)
    may_end.set()
    await made.close()
    with pytest.raises(ClientStateError):
        await send(made, delivery(id="evt_3"))


async def test_what_is_cancelled_at_the_end_may_come_again():
    seen = MemorySeen()
    made = receiver(answer_within=0, seen=seen)

    @made.on("*")
    async def endless(_):
        await asyncio.Event().wait()

    assert await send(made, delivery()) == (202, "working")
    await made.close(timeout=0)
    assert await seen.claim("evt_1") == "new"


@pytest.mark.parametrize(
    ("body", "signature", "expected"),
    [
        (delivery(), None, (400, "missing")),
        (delivery(), "x", (400, "malformed")),
        (delivery(), b"other", (401, "mismatch")),
        (b"[]", b"[]", (422, "undecodable")),
        (b"x" * 10_000_001, "x", (413, "too_large")),
    ],
    ids=["missing", "malformed", "mismatch", "undecodable", "too large"],
)
async def test_what_strangers_send_is_refused_and_not_handled(handled, body, signature, expected):
    # Made here and not when tests are collected, which may be too long ago.
    header = sign(signature, SECRET) if isinstance(signature, bytes) else signature
    reply = await listening(handled).receive(body, header)
    assert (reply.status, reply.reason) == expected
    assert handled == []


async def test_memory_forgets_the_oldest_and_what_is_too_old():
    time = [0.0]
    seen = MemorySeen(keep=10, most=2, clock=lambda: time[0])
    for number in range(3):
        assert await seen.claim(f"evt_{number}") == "new"
        await seen.finish(f"evt_{number}")
    assert await seen.claim("evt_2") == "done"
    assert await seen.claim("evt_0") == "new"
    time[0] = 11.0
    assert await seen.claim("evt_2") == "new"


@pytest.mark.parametrize(
    "call",
    [
        lambda: WebhookReceiver("wbhsec_test"),
        lambda: receiver(answer_within=-1),
        lambda: receiver(max_running=0),
        lambda: receiver().on(),
        lambda: receiver().on("case.*")(print),
        lambda: MemorySeen(most=0),
    ],
)
def test_arguments_that_cannot_work_are_refused(call):
    with pytest.raises(InvalidArgumentError):
        call()
