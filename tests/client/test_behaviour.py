"""The client under faults, limits, cancellation and misuse, on a real server."""

from __future__ import annotations

import asyncio
import pickle
import time

import aiohttp
import pytest

from persona_cases import (
    APIError,
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    DecodeError,
    IndeterminateError,
    InvalidArgumentError,
    PersonaClient,
    PersonaError,
    RateLimitError,
    Request,
    RequestTimeoutError,
    Response,
    RetryPolicy,
    Safety,
    ServerError,
    Timeout,
    TransportError,
)
from persona_cases.limits import LocalLimiter
from persona_cases.testing import Fault, Simulator

ONCE = RetryPolicy(attempts=1)


@pytest.fixture
async def sim():
    async with Simulator(cases=20) as simulator:
        yield simulator


# ---- faults and retries ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(503),
        Fault.status(500),
        Fault.status(408),
        Fault.drop(),
        Fault.torn(),
        Fault.html(),
        Fault.empty(502),
    ],
    ids=lambda fault: fault.name,
)
async def test_reads_survive_what_passes(sim, make_client, fault):
    client = make_client(sim)
    sim.faults.next(fault, fault)
    assert len(await client.cases.list().collect()) == 20
    assert len(sim.requests) == 3
    sim.faults.next(fault)
    assert len(await client.cases.search().collect()) == 20


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.status(503), ServerError),
        (Fault.drop(), ConnectionFailedError),
        (Fault.torn(), ConnectionFailedError),
        (Fault.html(502), ServerError),
        (Fault.garbage(), DecodeError),
        (Fault.empty(200), DecodeError),
    ],
    ids=lambda value: getattr(value, "name", None) or value.__name__,
)
async def test_what_does_not_pass_is_one_error_of_ours(sim, make_client, fault, error):
    client = make_client(sim)
    sim.faults.add(fault)
    with pytest.raises(error) as caught:
        await client.cases.list()
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), error)
    if error is not DecodeError:
        assert caught.value.attempts == len(sim.requests) == RetryPolicy().attempts


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
async def test_one_attempt_is_one_request(sim, make_client, method):
    seen = []

    async def counting(request, call_next):
        seen.append(request.attempt)
        return await call_next(request)

    client = make_client(sim, retry=ONCE, middleware=[counting])
    sim.faults.add(Fault.drop())
    with pytest.raises((ConnectionFailedError, IndeterminateError)):
        await client.request(method, "/cases/case_1")
    assert len(sim.requests) == len(seen) == 1


async def test_every_attempt_of_a_post_carries_the_same_key(sim, make_client):
    client = make_client(sim)
    sim.faults.add(Fault.drop(), nth=[1, 2])
    with pytest.raises(PersonaError):
        await client.request("POST", "/nowhere", json={})
    keys = {request.headers["idempotency-key"] for request in sim.requests}
    assert (len(keys), len(sim.requests)) == (1, 3)


async def test_a_write_of_unknown_outcome_says_so(sim, make_client):
    client = make_client(sim)
    sim.faults.add(Fault.status(503))
    with pytest.raises(IndeterminateError, match="unknown whether POST /things was carried out.*4 attempts") as caught:
        await client.request("POST", "/things", json={}, idempotency_key="key-1")
    assert (caught.value.idempotency_key, caught.value.status, caught.value.attempts) == ("key-1", 503, 4)
    assert caught.value.request_id


async def test_what_must_not_be_repeated_is_not(sim, make_client):
    client = make_client(sim)
    sim.faults.add(Fault.drop())
    with pytest.raises(IndeterminateError):
        await client.request("PATCH", "/cases/case_1", json={})
    assert len(sim.requests) == 1
    with pytest.raises(IndeterminateError):
        await client.request("PATCH", "/cases/case_1", json={}, safety=Safety.REPEATABLE)
    assert len(sim.requests) == 5


async def test_a_wrong_key_is_told_at_once(sim, make_client):
    client = make_client(sim, api_key="persona_wrong")
    with pytest.raises(AuthenticationError, match="401") as caught:
        await client.cases.list()
    assert len(sim.requests) == 1
    assert "persona_wrong" not in f"{caught.value!r}{client!r}{vars(caught.value)}"


async def test_redirects_are_not_followed(sim, make_client):
    client = make_client(sim)
    sim.faults.add(Fault.body(b"", status=302))
    with pytest.raises(APIError, match="302 redirects are not followed"):
        await client.cases.list()
    assert len(sim.requests) == 1


async def test_nobody_there(make_client):
    async with Simulator(cases=1) as sim:
        client = make_client(sim)
    with pytest.raises(ConnectionFailedError, match="could not be made") as caught:
        await client.cases.list()
    assert (caught.value.sent, caught.value.attempts) == (False, 4)


# ---- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0.2, Timeout(read=0.2)], ids=["total", "read"])
async def test_a_timeout_is_an_error_of_ours_and_of_python(sim, make_client, timeout):
    client = make_client(sim, timeout=timeout, retry=ONCE)
    sim.faults.add(Fault.delay(30))
    with pytest.raises(RequestTimeoutError) as caught:
        await client.cases.list()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.sent


async def test_a_body_that_trickles_in_is_bounded_by_the_total(sim, make_client):
    client = make_client(sim, timeout=0.3, retry=ONCE)
    sim.faults.add(Fault.drip(pause=0.1))
    with pytest.raises(RequestTimeoutError):
        await client.cases.list()


async def test_waiting_for_the_rate_limit_is_not_counted_as_timeout(make_client):
    async with Simulator(cases=5, rate_limit="3/1") as sim:
        client = make_client(sim, timeout=0.8)
        await asyncio.gather(*(client.cases.get(case_id) for case_id in list(sim.store.cases) * 2))
        assert {request.status for request in sim.requests} == {200}


# ---- the rate limit --------------------------------------------------------------------------------------------------


async def test_a_crowd_of_calls_is_never_refused(make_client):
    async with Simulator(cases=5, rate_limit="20/1") as sim:
        client = make_client(sim)
        case_id = next(iter(sim.store.cases))
        await asyncio.gather(*(client.cases.get(case_id) for _ in range(60)))
        assert [request.status for request in sim.requests] == [200] * 60


async def test_clients_that_share_a_limiter_share_the_limit(make_client):
    async with Simulator(cases=5, rate_limit="20/1") as sim:
        limiter = LocalLimiter()
        clients = [make_client(sim, limiter=limiter) for _ in range(3)]
        await asyncio.gather(*(client.cases.list().first() for client in clients * 15))
        assert [request.status for request in sim.requests] == [200] * 45


async def test_strangers_on_the_key_cause_no_storm(make_client):
    async with Simulator(cases=5, rate_limit="20/2") as sim:
        client = make_client(sim)
        await client.cases.list()
        sim.spend(15)
        await asyncio.gather(*(client.cases.list().first() for _ in range(30)))
        refused = [request for request in sim.requests if request.status == 429]
        # At most what was under way when the stranger came.
        assert len(refused) <= 20
        assert len(sim.requests) == 31 + len(refused)


async def test_a_wait_longer_than_allowed_is_refused_at_once(make_client):
    async with Simulator(cases=5, rate_limit="2/60") as sim:
        client = make_client(sim, max_wait=1.0)
        await client.cases.list()
        await client.cases.list()
        started = time.monotonic()
        with pytest.raises(RateLimitError, match="longer than max_wait") as caught:
            await client.cases.list()
        assert 50 < caught.value.retry_after <= 60
        assert time.monotonic() - started < 30
        assert len(sim.requests) == 2
        patient = client.with_options(max_wait=0.0)
        with pytest.raises(RateLimitError):
            await patient.cases.list()


async def test_a_refusal_that_can_not_be_waited_out_is_raised(make_client):
    async with Simulator(cases=5) as sim:
        client = make_client(sim, max_wait=0.1)
        sim.faults.next(Fault.rate_limited(reset=30))
        with pytest.raises(RateLimitError) as caught:
            await client.cases.list()
        assert caught.value.attempts == 1


async def test_a_cancelled_call_gives_everything_back(make_client):
    async with Simulator(cases=5, rate_limit="5/1") as sim:
        client = make_client(sim, max_connections=1)
        await client.cases.list()
        slow = sim.faults.add(Fault.delay(30))
        for wait in (0.0, 0.05, 0.2):
            task = asyncio.create_task(client.cases.list().collect())
            await asyncio.sleep(wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        sim.faults.remove(slow)
        for _ in range(6):
            assert len((await asyncio.wait_for(client.cases.list(), 20)).items) == 5


def test_a_limiter_outlives_a_loop():
    limiter = LocalLimiter()

    async def use(count: int) -> list[int | None]:
        async with Simulator(cases=3, rate_limit="8/1") as sim:
            async with PersonaClient(sim.api_key, base_url=sim.base_url, limiter=limiter) as client:
                await asyncio.gather(*(client.cases.list().first() for _ in range(count)))
            return [request.status for request in sim.requests]

    assert asyncio.run(use(12)) == [200] * 12
    assert asyncio.run(use(12)) == [200] * 12


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": True}, {"limit": 1.5}, {"period": 0}, {"period": "60"}])
def test_a_limiter_that_can_not_work_is_refused(arguments):
    with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
        LocalLimiter(**arguments)


async def test_a_limiter_tells_its_budget():
    limiter = LocalLimiter(limit=5, period=10)
    assert (limiter.limit, limiter.remaining, limiter.seconds_left) == (5, 5, None)
    async with (
        Simulator(cases=1, rate_limit="8/60") as other,
        PersonaClient(other.api_key, base_url=other.base_url, limiter=limiter) as client,
    ):
        await client.cases.list()
    assert (limiter.limit, limiter.remaining) == (8, 7)
    assert 50 < limiter.seconds_left <= 61
    assert "8" in repr(limiter)


# ---- middleware ------------------------------------------------------------------------------------------------------


async def test_hooks_are_an_onion_around_every_attempt(sim, make_client):
    seen = []

    def layer(name):
        async def middleware(request: Request, call_next) -> Response:
            seen.append((name, request.attempt))
            response = await call_next(request)
            seen.append((name, response.status))
            return response

        return middleware

    client = make_client(sim, middleware=[layer("outer"), layer("inner")])
    sim.faults.next(Fault.status(503))
    await client.cases.list()
    once = [("outer", 1), ("inner", 1), ("inner", 503), ("outer", 503)]
    assert seen == [*once, ("outer", 2), ("inner", 2), ("inner", 200), ("outer", 200)]


async def test_hooks_never_see_the_key(sim, make_client):
    async def looking(request: Request, call_next) -> Response:
        assert sim.api_key not in f"{request!r}{request.headers}{request.query}"
        return await call_next(request)

    await make_client(sim, middleware=[looking]).cases.list()
    assert len(sim.requests) == 1


async def test_a_middleware_may_answer_by_itself_or_change_headers(sim, make_client):
    import attrs

    async def tracing(request: Request, call_next) -> Response:
        return await call_next(attrs.evolve(request, headers={**request.headers, "X-Trace": "t-1"}))

    async def cached(request: Request, call_next) -> Response:
        return Response(200, {}, b'{"data": [], "links": {}}')

    await make_client(sim, middleware=[tracing]).cases.list()
    assert sim.requests[0].headers["x-trace"] == "t-1"
    assert await make_client(sim, middleware=[cached]).cases.list().collect() == []
    assert len(sim.requests) == 1


async def test_a_mistake_in_a_middleware_is_not_retried(sim, make_client):
    calls = 0

    async def broken(request, call_next):
        nonlocal calls
        calls += 1
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        await make_client(sim, middleware=[broken]).cases.list()
    assert (calls, len(sim.requests)) == (1, 0)


def not_async(request, call_next):
    return None


async def one_argument(request):
    return None


@pytest.mark.parametrize(
    ("middleware", "complaint"),
    [
        ([not_async], "not async"),
        ([one_argument], "two arguments"),
        ([5], "not callable"),
        (not_async, "sequence"),
        (5, "sequence"),
    ],
)
def test_hooks_are_checked_when_they_are_given(middleware, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        PersonaClient("key", middleware=middleware)


def test_an_object_with_an_async_call_is_a_middleware():
    class Middleware:
        async def __call__(self, request, call_next):
            return await call_next(request)

    PersonaClient("key", middleware=[Middleware()])


# ---- settings, loops and closing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"api_key": None}, "PERSONA_API_KEY"),
        ({"api_key": ""}, "no API key"),
        ({"api_key": "two words"}, "spaces"),
        ({"api_key": "line\n"}, "line breaks"),
        ({"base_url": "example.com"}, "base_url"),
        ({"base_url": "http://api.example.com/v1"}, "base_url.*https"),
        ({"timeout": 0}, "timeout"),
        ({"version": "latest version"}, "version"),
        ({"retry": 3}, "RetryPolicy"),
        ({"max_wait": -1}, "max_wait"),
        ({"max_connections": 0}, "max_connections"),
        ({"headers": {"Authorization": "x"}}, "api_key"),
    ],
)
def test_settings_that_can_not_work_are_refused_at_once(settings, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        PersonaClient(**{"api_key": "key", **settings})


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", "key")
    monkeypatch.setenv("PERSONA_BASE_URL", "https://eu.example.com/api/v1/")
    assert repr(PersonaClient()) == "PersonaClient(base_url='https://eu.example.com/api/v1', version='2025-12-08')"
    monkeypatch.delenv("PERSONA_BASE_URL")
    assert "api.withpersona.com" in repr(PersonaClient())
    monkeypatch.setenv("PERSONA_API_KEY", "key\n")
    with pytest.raises(InvalidArgumentError, match="PERSONA_API_KEY"):
        PersonaClient()


async def test_after_close_nothing_is_sent(sim):
    async with PersonaClient(sim.api_key, base_url=sim.base_url) as client:
        await client.cases.list()
    for call in (client.cases.list().collect(), client.cases.get("case_1"), client.request("GET", "/cases")):
        with pytest.raises(ClientStateError, match="closed"):
            await call
    with pytest.raises(ClientStateError, match="closed"):
        async with client:
            pass
    assert len(sim.requests) == 1


def test_another_loop_is_told_apart():
    client = PersonaClient("key", base_url="http://127.0.0.1:9")

    async def call():
        with pytest.raises(TransportError):
            await client.with_options(retry=ONCE).cases.list()

    async def call_elsewhere():
        with pytest.raises(ClientStateError, match="one client in each loop"):
            await client.cases.list()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(call())
        second.run(call_elsewhere())
        first.run(client.close())


async def test_a_borrowed_session_is_used_and_left_open(sim):
    async with aiohttp.ClientSession() as session:
        async with PersonaClient(sim.api_key, base_url=sim.base_url, session=session) as client:
            await client.cases.list()
        assert not session.closed
    client = PersonaClient(sim.api_key, base_url=sim.base_url, session=session)
    with pytest.raises(ClientStateError, match="borrowed session is closed"):
        await client.cases.list()


async def test_a_copy_shares_the_connections_and_the_limit_but_not_the_settings(sim, make_client, monkeypatch):
    loop = asyncio.get_running_loop()
    connect, connections = loop.create_connection, []

    async def listening(*args, **settings):
        connections.append(args)
        return await connect(*args, **settings)

    monkeypatch.setattr(loop, "create_connection", listening)
    client = make_client(sim)
    copy = client.with_options(version="2023-01-05", headers={"X-A": "1"}, timeout=5).with_options(headers={"X-B": "2"})
    await copy.cases.list()
    await client.cases.list()
    first, second = sim.requests
    assert (first.headers["persona-version"], first.headers["x-a"], first.headers["x-b"]) == ("2023-01-05", "1", "2")
    assert second.headers["persona-version"] == "2025-12-08"
    assert "x-a" not in second.headers
    assert len(connections) == 1
    assert copy.limiter is client.limiter
    assert copy.creation_limiter is client.creation_limiter
    with pytest.raises(InvalidArgumentError, match="timeout"):
        client.with_options(timeout=-1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("FETCH", "/x"), "method"),
        (("GET", "x"), "path"),
        (("GET", "https://evil.example.com/"), "path"),
        (("GET", "/a/../b"), "path"),
        (("GET", "//evil.example.com"), "path"),
        (("GET", "/a?b=c"), "path"),
        (("GET", "/a b"), "path"),
        ((None, "/x"), "method"),
    ],
)
async def test_bad_requests_are_refused(arguments, complaint):
    client = PersonaClient("key")
    with pytest.raises(InvalidArgumentError, match=complaint):
        await client.request(*arguments)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"params": "a=b"}, "params"),
        ({"params": {"a": 1}}, "params"),
        ({"params": [("a",)]}, "params"),
        ({"params": 5}, "params"),
        ({"json": {"a": object()}}, "json"),
        ({"idempotency_key": "key-1"}, "idempotency_key"),
    ],
)
async def test_bad_arguments_of_requests_are_refused(arguments, complaint):
    client = PersonaClient("key")
    with pytest.raises(InvalidArgumentError, match=complaint):
        await client.request("GET", "/x", **arguments)
