"""When a request is sent again, and when that ends: on a real server, in a time that only waits move."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from limiters import Recording, Time

from persona_cases import (
    ConnectionFailedError,
    IndeterminateError,
    InvalidArgumentError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    Request,
    Response,
    RetryPolicy,
    Safety,
    ServerError,
)
from persona_cases.protocol.call_options import Options
from persona_cases.testing import Fault, Simulator
from persona_cases.transport.calls_under_way import Call, Lifetime, Timing
from persona_cases.transport.limits.admission import Admission
from persona_cases.transport.pipeline import Transport

READ = Request("GET", "/cases")
DOWN = Fault.status(503)


class Alone(Transport):
    """A transport without a client."""

    async def run(self, request, options):
        with Call(request, options, Lifetime(), self.timing) as call:
            return await super().run(call)


@pytest.fixture
async def sim():
    async with Simulator(cases=3) as simulator:
        yield simulator


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def session(sim, make_api):
    return (await make_api(sim)).transport.session


@pytest.fixture
def make_transport(session, time):
    def make(limiter=None, creation_limiter=None, *, sleep=time.sleep, draw=0.5, middleware=()) -> Transport:
        admission = Admission(limiter or Recording(time), creation_limiter or Recording(time), clock=time)
        return Alone(session, admission, middleware, timing=Timing(time, sleep, lambda: draw))

    return make


# ---- the deadline ----------------------------------------------------------------------------------------------------


async def test_the_deadline_counts_sendings_back_offs_and_waits_for_the_limit(sim, time, make_transport):
    departures = []

    async def slow(request: Request, call_next) -> Response:
        departures.append(time.now)
        time.now += 3
        return await call_next(request)

    limiter = Recording(time, 4)
    transport = make_transport(limiter, middleware=(slow,))
    sim.faults.add(DOWN)
    policy = RetryPolicy(attempts=9, base=10, cap=10, deadline=30)
    with pytest.raises(ServerError) as caught:
        await transport.run(READ, Options(retry=policy))
    # The first wait for the limit lies before the first sending. Another back-off of 5 seconds would end at 32.
    assert departures == [4, 4 + 12, 4 + 24]
    assert caught.value.attempts == len(sim.requests) == 3
    assert limiter.patience == [None, 30 - 8, 30 - 20]


async def test_a_wait_for_the_limit_beyond_the_deadline_is_not_begun(sim, time, make_transport):
    transport = make_transport(Recording(time, 500, 11))
    sim.faults.add(DOWN)
    with pytest.raises(ServerError) as caught:
        await transport.run(READ, Options(retry=RetryPolicy(base=0, deadline=10)))
    assert (caught.value.status, caught.value.attempts, time.now) == (503, 1, 500)
    assert isinstance(caught.value.__cause__, RateLimitError)


async def test_max_wait_bounds_each_wait_and_the_deadline_all_of_them(sim, time, make_transport):
    limiter = Recording(time, 6)
    transport = make_transport(limiter)
    sim.faults.add(DOWN)
    with pytest.raises(ServerError):
        await transport.run(READ, Options(retry=RetryPolicy(base=0, deadline=20), max_wait=8))
    assert limiter.patience == [8, 8, 8, 8]
    with pytest.raises(ServerError):
        await transport.run(READ, Options(retry=RetryPolicy(attempts=9, base=0, deadline=20), max_wait=8))
    assert limiter.patience[4:] == [8, 8, 8, 8, 2]
    with pytest.raises(RateLimitError, match="not sent") as caught:
        await transport.run(READ, Options(max_wait=5))
    assert (caught.value.attempts, caught.value.__cause__) == (0, None)


async def test_who_wakes_up_after_the_deadline_sends_nothing(sim, time, make_transport):
    async def oversleep(seconds: float) -> None:
        time.now += seconds + 1000

    transport = make_transport(sleep=oversleep)
    sim.faults.add(DOWN)
    with pytest.raises(ServerError) as caught:
        await transport.run(READ, Options())
    assert caught.value.attempts == len(sim.requests) == 1


async def test_refusals_are_waited_out_at_the_limiter_until_the_deadline(sim, time, make_transport):
    transport = make_transport(Recording(time, 0, 40))
    sim.faults.add(Fault.rate_limited())
    with pytest.raises(RateLimitError) as caught:
        await transport.run(READ, Options(retry=RetryPolicy(attempts=2, deadline=100)))
    assert (caught.value.status, caught.value.attempts, time.now) == (429, 3, 80)
    assert caught.value.request_id


# ---- Retry-After -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [503, 500, 408])
async def test_a_retry_after_is_the_least_wait(sim, time, make_transport, status):
    sim.faults.next(Fault.status(status, headers={"Retry-After": "7"}))
    response = await make_transport().run(READ, Options(retry=RetryPolicy(base=2)))
    assert (response.status, time.now, len(sim.requests)) == (200, 7 + 1, 2)


async def test_a_retry_after_may_be_a_date(sim, time, make_transport):
    then = datetime.now(UTC) + timedelta(minutes=2)
    sim.faults.next(Fault.status(503, headers={"Retry-After": format_datetime(then, usegmt=True)}))
    assert (await make_transport().run(READ, Options(retry=RetryPolicy(base=0)))).ok
    # Both sides cut off what is less than a second, and the answer took its time.
    assert 60 < time.now <= 120


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(sim, time, make_transport):
    sim.faults.add(Fault.status(503, headers={"Retry-After": "31"}))
    with pytest.raises(ServerError):
        await make_transport().run(READ, Options(retry=RetryPolicy(deadline=30)))
    assert (time.now, len(sim.requests)) == (0, 1)


async def test_a_refusal_without_numbers_tells_the_limiter_its_retry_after(sim, time, make_transport):
    limiter = Recording(time)
    nameless = {f"RateLimit-{name}": None for name in ("Limit", "Remaining", "Reset")}
    sim.faults.next(Fault.status(429, headers={"Retry-After": "9", **nameless}))
    await make_transport(limiter).run(READ, Options())
    (_, first), (_, second) = limiter.told
    assert (first.reading, first.refused, first.retry_after) == (None, True, 9)
    assert (second.refused, second.retry_after) == (False, None)


async def test_another_products_quota_is_waited_out_by_the_call(sim, time, make_transport):
    sim.faults.next(Fault.status(403, "Quota exceeded", headers={"Retry-After": "9"}))
    limiter, quota = Recording(time), Recording(time)
    inquiry = Request("POST", "/inquiries", body=b"{}", safety=Safety.KEYED, idempotency_key="key-1")
    with pytest.raises(NotFoundError):
        await make_transport(limiter, quota).run(inquiry, Options())
    assert (time.now, quota.told, len(sim.requests)) == (9.5, [], 2)
    assert [feedback.refused for _, feedback in limiter.told] == [False, False]


# ---- both permits ----------------------------------------------------------------------------------------------------


def creation(sim: Simulator) -> Request:
    template = sim.store.template("KYC").id
    body = f'{{"data": {{"attributes": {{"case-template-id": "{template}"}}}}}}'
    return Request("POST", "/cases", body=body.encode(), safety=Safety.KEYED, idempotency_key="key-1")


async def test_a_creation_waits_for_the_quota_first_and_for_both_no_longer_than_allowed(sim, time, make_transport):
    limiter, quota = Recording(time, 2), Recording(time, 5)
    response = await make_transport(limiter, quota).run(creation(sim), Options(max_wait=8))
    assert (response.status, quota.patience, limiter.patience) == (201, [8], [3])
    # What counts for the quota's window is when the request left, and not when it began to wait for the rate limit.
    ((permit, feedback),) = quota.told
    assert (permit.departed, feedback.answered, feedback.sent) == (7, True, True)


async def test_a_wait_for_the_quota_that_is_too_long_is_a_quotas_error(sim, time, make_transport):
    limiter, quota = Recording(time), Recording(time, 9)
    with pytest.raises(QuotaExceededError, match=r"of 9.0 s for the quota of case creation") as caught:
        await make_transport(limiter, quota).run(creation(sim), Options(max_wait=8))
    assert (caught.value.retry_after, limiter.patience, len(sim.requests)) == (9, [], 0)


async def test_who_gives_up_at_the_rate_limit_gives_the_quota_back_unused(sim, time, make_transport):
    limiter, quota = Recording(time, 9), Recording(time)
    with pytest.raises(RateLimitError) as caught:
        await make_transport(limiter, quota).run(creation(sim), Options(max_wait=8))
    assert not isinstance(caught.value, QuotaExceededError)
    ((_, feedback),) = quota.told
    assert (feedback.sent, quota.out, limiter.out) == (False, 0, 0)


async def test_a_creation_that_the_rate_limit_refuses_tells_the_quota_so(sim, time, make_transport):
    limiter, quota = Recording(time), Recording(time)
    sim.faults.next(Fault.rate_limited())
    await make_transport(limiter, quota).run(creation(sim), Options())
    assert [feedback.refused for _, feedback in limiter.told] == [True, False]
    assert [(feedback.refused, feedback.answered) for _, feedback in quota.told] == [(False, False), (False, True)]


async def test_a_creation_of_unknown_outcome_settles_both_permits(sim, time, make_transport):
    limiter, quota = Recording(time), Recording(time)
    sim.faults.add(Fault.drop())
    with pytest.raises(IndeterminateError):
        await make_transport(limiter, quota).run(creation(sim), Options())
    assert (limiter.out, quota.out, len(quota.told)) == (0, 0, 4)


async def test_a_limiter_that_fails_does_not_keep_the_quotas_permit(sim, time, make_transport):
    class Failing(Recording):
        async def settle(self, permit, feedback):
            raise OSError("the store is gone")

    quota = Recording(time)
    with pytest.raises(OSError, match="store is gone"):
        await make_transport(Failing(time), quota).run(creation(sim), Options())
    assert quota.out == 0


# ---- what is never sent again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        TypeError("mine"),
        KeyError("mine"),
        TimeoutError("mine"),
        ConnectionFailedError("mine"),
        RateLimitError("mine"),
        QuotaExceededError("mine"),
        ServerError("mine", status=503),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_hooks_error_is_the_callers(sim, time, make_transport, error, when):
    async def broken(request: Request, call_next) -> Response:
        if when == "after":
            await call_next(request)
        raise error

    limiter, quota = Recording(time), Recording(time)
    with pytest.raises(type(error)) as caught:
        await make_transport(limiter, quota, middleware=(broken,)).run(creation(sim), Options())
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert len(sim.requests) == (when == "after")
    assert getattr(error, "attempts", 1) == 1
    assert (limiter.out, quota.out, len(limiter.told), len(quota.told)) == (0, 0, 1, 1)


async def test_a_middleware_that_passes_a_lost_connection_on_changes_nothing(sim, time, make_transport):
    async def passing(request: Request, call_next) -> Response:
        try:
            return await call_next(request)
        except ConnectionFailedError:
            raise

    sim.faults.next(Fault.drop())
    assert (await make_transport(middleware=(passing,)).run(READ, Options())).ok
    assert len(sim.requests) == 2


async def test_an_error_that_a_middleware_makes_of_a_lost_connection_is_not_retried(sim, time, make_transport):
    async def renaming(request: Request, call_next) -> Response:
        try:
            return await call_next(request)
        except ConnectionFailedError as error:
            raise ConnectionFailedError("mine") from error

    sim.faults.add(Fault.drop())
    with pytest.raises(ConnectionFailedError, match="mine"):
        await make_transport(middleware=(renaming,)).run(READ, Options())
    assert len(sim.requests) == 1


@pytest.mark.parametrize("answer", [None, "<p>Hello</p>", 200], ids=repr)
async def test_a_middleware_that_returns_no_response_settles_its_permits(sim, time, make_transport, answer):
    async def wrong(request: Request, call_next):
        return answer

    limiter, quota = Recording(time), Recording(time)
    with pytest.raises(AttributeError):
        await make_transport(limiter, quota, middleware=(wrong,)).run(creation(sim), Options())
    assert (limiter.out, quota.out, len(sim.requests)) == (0, 0, 0)


async def test_what_is_no_json_is_never_sent(sim, make_client):
    client = make_client(sim)
    with pytest.raises(InvalidArgumentError, match="json"):
        await client.request("POST", "/cases", json={"data": object()})
    with pytest.raises(InvalidArgumentError):
        await client.cases.create("ctmpl_1", fields={"thing": object()})
    assert len(sim.requests) == 0


# ---- cancellation ----------------------------------------------------------------------------------------------------


class Stuck(Recording):
    """A limiter at which everybody waits for ever."""

    def __init__(self, time: Time) -> None:
        super().__init__(time)
        self.reached = asyncio.Event()

    async def acquire(self, max_wait=None):
        self.reached.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("where", ["quota", "rate limit", "answer", "back-off"])
async def test_a_cancelled_creation_gives_both_permits_back(sim, time, make_transport, where):
    limiter = Stuck(time) if where == "rate limit" else Recording(time)
    quota = Stuck(time) if where == "quota" else Recording(time)
    reached = asyncio.Event()

    async def asleep(seconds: float) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def middleware(request: Request, call_next) -> Response:
        if where == "answer":
            reached.set()
        return await call_next(request)

    sim.faults.add(Fault.delay(30) if where == "answer" else DOWN)
    transport = make_transport(limiter, quota, sleep=asleep, middleware=(middleware,))
    task = asyncio.create_task(transport.run(creation(sim), Options()))
    stuck = next((each.reached for each in (limiter, quota) if isinstance(each, Stuck)), reached)
    await asyncio.wait_for(stuck.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (limiter.out, quota.out) == (0, 0)
    assert [feedback.sent for _, feedback in quota.told] == {
        "quota": [],
        "rate limit": [False],
        "answer": [True],
        "back-off": [True],
    }[where]
    # The idempotency key is free again: otherwise, another call with it would raise at once.
    again = asyncio.create_task(transport.run(creation(sim), Options()))
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()


async def test_retries_are_logged_with_their_delay(sim, make_transport, caplog):
    caplog.set_level(logging.INFO, "persona_cases")
    sim.faults.next(DOWN)
    await make_transport().run(READ, Options(retry=RetryPolicy(base=2)))
    (record,) = caplog.records
    said = record.getMessage()
    assert said.endswith(" method=GET path=/cases attempt=1 reason=server_error delay=1.000")
    assert said.startswith(f"{record.event} call={record.call}") == (record.event == "request.retry")
    assert (record.reason, record.delay) == ("server_error", 1.0)


async def test_a_refusal_of_a_proxy_holds_everybody_up_as_long_as_it_says(make_client):
    async with Simulator(cases=3) as sim:
        client = make_client(sim)
        nameless = {f"RateLimit-{name}": None for name in ("Limit", "Remaining", "Reset")}
        sim.faults.next(Fault.status(429, headers={"Retry-After": "1", **nameless}))
        loop = asyncio.get_running_loop()
        started = loop.time()
        await client.cases.list()
        assert 1 <= loop.time() - started < 4.5
        assert [request.status for request in sim.requests] == [429, 200]
