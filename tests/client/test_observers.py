"""What observers of a client are told, and what they cannot do."""

from __future__ import annotations

import asyncio
import logging
import typing

import pytest
from limiters import Recording, Time

from persona_cases import (
    ClientStateError,
    ConflictError,
    ConnectionFailedError,
    InvalidArgumentError,
    NotFoundError,
    PersonaClient,
    ServerError,
)
from persona_cases.limits import LocalLimiter
from persona_cases.observers import (
    AttemptAnswered,
    AttemptLost,
    AttemptSent,
    CallEnded,
    CallStarted,
    Event,
    LimitWait,
    Retry,
)
from persona_cases.testing import Fault, Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=3) as simulator:
        yield simulator


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def client(sim, make_client, told) -> PersonaClient:
    return make_client(sim, observers=[told.append])


def an_id(sim: Simulator) -> str:
    return next(iter(sim.store.cases))


def kinds(told: list[Event]) -> list[str]:
    return [type(event).__name__ for event in told]


async def test_a_call_tells_its_beginning_its_attempt_and_its_end(sim, client, told):
    await client.cases.get(an_id(sim))
    assert kinds(told) == ["CallStarted", "AttemptSent", "AttemptAnswered", "CallEnded"]
    started, sent, answered, ended = told
    assert all(event.call is started.call for event in told)
    assert (started.call.method, started.call.path_template, started.call.host) == ("GET", "/cases/{id}", "api")
    assert (sent.attempt, answered.attempt, answered.status, ended.attempts, ended.error) == (1, 1, 200, 1, None)
    assert answered.request_id.startswith("req_")
    assert 0 <= answered.seconds <= ended.elapsed
    await client.cases.get(an_id(sim))
    assert told[-1].call.number > started.call.number


async def test_a_retry_tells_why_and_after_what(sim, client, told):
    sim.faults.add(Fault.status(503), nth=1, times=1)
    sim.faults.add(Fault.drop(), nth=2, times=1)
    await client.cases.list()
    assert [event for event in told if isinstance(event, Retry)] == [
        Retry(told[0].call, 1, "server_error", 0.0),
        Retry(told[0].call, 2, "connection_lost", 0.0),
    ]
    assert [event.error for event in told if isinstance(event, AttemptLost)] == [ConnectionFailedError]
    assert [event.attempt for event in told if isinstance(event, AttemptSent)] == [1, 2, 3]
    assert told[-1].attempts == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.status(409), ConflictError), (Fault.status(503), ServerError), (Fault.drop(), ConnectionFailedError)],
    ids=["rejected", "given up", "lost"],
)
async def test_the_end_tells_the_class_of_the_error(sim, client, told, fault, error):
    sim.faults.add(fault)
    with pytest.raises(error):
        await client.cases.list()
    assert (told[-1].error, [kinds(told).count(kind) for kind in ("CallStarted", "CallEnded")]) == (error, [1, 1])


async def test_a_cancelled_call_ends_too(sim, client, told):
    sim.faults.add(Fault.delay(30))
    task = asyncio.create_task(client.cases.get(an_id(sim)))
    while len(told) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told[-1].error is asyncio.CancelledError


async def test_a_call_that_closing_broke_off_ends_in_the_error_of_its_caller(sim, client, told):
    sim.faults.add(Fault.delay(30))
    task = asyncio.create_task(client.cases.get(an_id(sim)))
    while len(told) < 2:
        await asyncio.sleep(0)
    await client.close()
    (raised,) = await asyncio.gather(task, return_exceptions=True)
    assert told[-1].error is type(raised)
    assert task.cancelling() == 0


async def test_closing_a_copy_and_its_client_breaks_a_call_off_once(sim, client, told):
    copied = client.with_options(max_wait=5)
    sim.faults.add(Fault.delay(30))
    task = asyncio.create_task(copied.cases.get(an_id(sim)))
    while len(told) < 2:
        await asyncio.sleep(0)
    await copied.close()
    await client.close()
    await client.close()
    (raised,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(raised, ClientStateError)
    assert (told[-1].error, task.cancelling()) == (ClientStateError, 0)


async def test_closing_breaks_off_a_download_that_looks_for_a_fresh_url(sim, client, told, tmp_path):
    case_id = an_id(sim)
    sim.store.update_case(case_id, attachments=[sim.store.upload("scan.pdf", b"content")])
    case = await client.cases.get(case_id)
    sim.faults.next(Fault.status(403))
    sim.faults.add(Fault.delay(30), path="/cases/*")
    del told[:]
    task = asyncio.create_task(client.cases.download(case.attachments[-1], tmp_path / "scan.pdf"))
    while kinds(told).count("AttemptSent") < 2:
        await asyncio.sleep(0.001)
    await client.close()
    (raised,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(raised, ClientStateError)
    assert (kinds(told)[-2:], told[-1].error, task.cancelling()) == (["CallEnded"] * 2, ClientStateError, 0)


async def test_a_download_is_a_call_to_the_files(sim, client, told, tmp_path):
    case_id = an_id(sim)
    sim.store.update_case(case_id, attachments=[sim.store.upload("scan.pdf", b"content")])
    case = await client.cases.get(case_id)
    del told[:]
    await client.cases.download(case.attachments[-1], tmp_path / "scan.pdf")
    assert kinds(told) == ["CallStarted", "AttemptSent", "AttemptAnswered", "CallEnded"]
    assert (told[0].call.path_template, told[0].call.host, told[2].status) == ("/{attachment}", "files", 200)


async def test_observers_of_a_copy_watch_the_calls_of_that_copy_alone(sim, client, told):
    apart: list[Event] = []
    copied = client.with_options(observers=[apart.append])
    await client.cases.list()
    assert apart == []
    await copied.cases.list()
    assert kinds(apart) == kinds(told)[4:] == kinds(told)[:4]


async def test_what_a_middleware_answers_by_itself_is_not_sent(sim, make_client, told):
    async def cached(request, call_next):
        responses.append(await call_next(request) if not responses else responses[0])
        return responses[-1]

    responses: list[object] = []
    client = make_client(sim, middleware=[cached], observers=[told.append])
    await client.cases.list()
    await client.cases.list()
    assert kinds(told)[4:] == ["CallStarted", "CallEnded"]


async def test_a_long_wait_for_the_limit_is_told_once_and_in_the_log(make_client, told, caplog):
    caplog.set_level(logging.INFO, "persona_cases")
    async with Simulator(cases=3, rate_limit="1/2") as sim:
        client = make_client(sim, limiter=LocalLimiter(1, 2.0), observers=[told.append])
        await client.cases.list()
        await client.cases.list()
    (wait,) = [event for event in told if isinstance(event, LimitWait)]
    assert wait.limit == "rate_limit"
    assert 0 < wait.resets_in < 2
    (sent,) = [event for event in told if isinstance(event, AttemptSent) and event.call is wait.call]
    assert sent.waited > 1
    assert [record.event for record in caplog.records] == ["limiter.waiting"]


async def test_a_short_wait_is_not_told(sim, make_client, told):
    client = make_client(sim, limiter=Recording(Time(), 30), observers=[told.append])
    await client.cases.list()
    assert "LimitWait" not in kinds(told)


@pytest.mark.parametrize("error", [ValueError("mine"), asyncio.CancelledError(), AssertionError()], ids=repr)
async def test_an_observer_cannot_break_a_call_and_is_logged_once(sim, make_client, told, caplog, error):
    def broken(event):
        raise error

    client = make_client(sim, observers=[broken, told.append])
    await client.cases.list()
    await client.cases.list()
    assert len(told) == 8
    (record,) = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert (record.event, record.levelname, record.exc_info[1]) == ("observer.failed", "WARNING", error)
    assert record.observer.endswith("broken")


async def test_an_interrupt_passes(sim, make_client):
    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await make_client(sim, observers=[interrupt]).cases.list()


class AsyncCallable:
    async def __call__(self, event):
        pass


async def later(event):
    pass


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (print, "sequence"),
        (3, "sequence"),
        ([3], "not callable"),
        ([later], "async"),
        ([AsyncCallable()], "async"),
        ([lambda: None], "one argument"),
    ],
)
def test_what_is_no_observer_is_refused_at_once(given, problem):
    with pytest.raises(InvalidArgumentError, match=problem):
        PersonaClient("key", observers=given)
    with pytest.raises(InvalidArgumentError, match=problem):
        PersonaClient("key").with_options(observers=given)


def test_events_are_frozen_values_that_hold_nothing_personal():
    allowed = {"call", "attempt", "attempts", "waited", "status", "request_id", "seconds", "error", "reason", "delay"}
    allowed |= {"address", "port", "rate_limit", "case_quota"}
    for kind in typing.get_args(Event):
        assert set(kind.__struct_fields__) <= allowed | {"limit", "resets_in", "elapsed"}
        assert kind.__struct_config__.frozen


async def test_log_records_have_their_fields_as_attributes_and_no_ids(sim, make_client, caplog):
    caplog.set_level(logging.DEBUG, "persona_cases")
    client = make_client(sim)
    sim.faults.add(Fault.drop(), nth=1, times=1)
    await client.cases.get(an_id(sim))
    with pytest.raises(NotFoundError):
        await client.cases.get("case_nobody")
    records = [record for record in caplog.records if record.name == "persona_cases"]
    assert [record.event for record in records] == [
        *("request.failed", "request.retry", "request.answered", "request.answered")
    ]
    for record in records:
        fields = dict(part.split("=", 1) for part in record.getMessage().split()[1:])
        assert set(fields) < set(vars(record))
        assert (record.method, record.path) == ("GET", "/cases/{id}")
    assert [record.status for record in records[2:]] == [200, 404]
    assert records[1].reason == "connection_lost"


def test_call_started_and_ended_frame_a_call():
    assert [typing.get_args(Event)[each] for each in (0, -1)] == [CallStarted, CallEnded]
    assert AttemptAnswered in typing.get_args(Event)
