"""An aiohttp.web application over cases, asked over a socket."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from persona_cases import (
    InvalidArgumentError,
    NotFoundError,
    PersonaError,
    Q,
    RateLimitError,
    RetryPolicy,
    UnprocessableEntityError,
)
from persona_cases.integrations.aiohttp import (
    error_middleware,
    get_persona,
    ndjson,
    persona_context,
    readiness_handler,
    webhook_handler,
)
from persona_cases.testing import Fault
from persona_cases.webhooks import WebhookReceiver, WebhookVerifier, sign

RAISED: list[PersonaError] = []
FAILURES = web.AppKey("failures", list)


async def show(request):
    case = await get_persona(request).cases.get(request.match_info["case_id"])
    return web.json_response({"status": case.status})


async def stream(request):
    return await ndjson(request, get_persona(request).cases.search(Q.status.eq("open"), page_size=10))


async def stream_few_at_a_time(request):
    try:
        return await ndjson(request, get_persona(request).cases.list(page_size=2))
    except BaseException as error:
        request.app[FAILURES].append(type(error))
        raise


async def fail(request):
    raise RAISED.pop()


def make_app(sim, **settings):
    options = {"api_key": sim.api_key, "base_url": sim.base_url, "retry": RetryPolicy(attempts=1), "max_wait": 0}
    app = web.Application(middlewares=[error_middleware(**settings)])
    app.cleanup_ctx.append(persona_context(**options))
    app[FAILURES] = []
    app.router.add_get("/cases/{case_id}", show)
    app.router.add_get("/open", stream)
    app.router.add_get("/few", stream_few_at_a_time)
    app.router.add_get("/raises", fail)
    app.router.add_get("/ready", readiness_handler())
    return app


@asynccontextmanager
async def asking(app):
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def ask(sim):
    async with asking(make_app(sim)) as client:
        yield client


async def test_handlers_share_the_client_of_the_application(ask, sim):
    case_id = next(iter(sim.store.cases))
    async with ask.get(f"/cases/{case_id}") as response:
        assert await response.json() == {"status": sim.store.cases[case_id].status}


async def test_an_application_in_another_one_uses_its_client(sim):
    outer = make_app(sim)
    inner = web.Application()
    inner.router.add_get("/cases/{case_id}", show)
    outer.add_subapp("/inner", inner)
    async with asking(outer) as client, client.get(f"/inner/cases/{next(iter(sim.store.cases))}") as response:
        assert response.status == 200


async def test_an_application_without_a_client_says_so():
    app = web.Application(middlewares=[error_middleware()])
    app.router.add_get("/cases/{case_id}", show)
    async with asking(app) as client, client.get("/cases/case_1") as response:
        assert response.status == 503


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("Sheila Miller", status=404), 404),
        (UnprocessableEntityError("Sheila Miller", status=422), 422),
        (RateLimitError("Sheila Miller", status=429, retry_after=2.2), 429),
        (InvalidArgumentError("Sheila Miller"), 500),
    ],
    ids=lambda value: value if isinstance(value, int) else type(value).__name__,
)
async def test_errors_become_problems_that_tell_nothing(sim, error, status):
    async with asking(make_app(sim, rate_limit_status=429)) as client:
        RAISED.append(error)
        async with client.get("/raises") as response:
            text = await response.text()
    assert response.status == status
    assert "Sheila" not in text
    if status != 500:
        assert response.content_type == "application/problem+json"
        assert json.loads(text)["status"] == status
    assert response.headers.get("Retry-After") == ("3" if status == 429 else None)


async def test_all_matching_cases_are_streamed(ask, sim):
    expected = {case.id for case in sim.store.cases.values() if case.status == "open"}
    async with ask.get("/open") as response:
        assert response.content_type == "application/x-ndjson"
        assert {json.loads(line)["id"] async for line in response.content} == expected


async def test_an_error_on_the_first_page_is_a_status_and_a_later_one_a_last_line(ask, sim):
    sim.faults.next(Fault.status(401))
    async with ask.get("/open") as response:
        assert response.status == 502
    sim.faults.add(Fault.status(500), nth=2)
    async with ask.get("/open") as response:
        *cases, trailer = [json.loads(line) async for line in response.content]
    assert trailer == {"error": "ServerError", "cursor": cases[-1]["id"]}


@pytest.mark.parametrize("cancelled", [True, False], ids=["handlers are cancelled", "handlers are not cancelled"])
async def test_a_browser_that_goes_away_ends_the_walk(sim, cancelled):
    app = make_app(sim)
    sim.faults.add(Fault.delay(0.05), nth=2)
    runner = web.AppRunner(app, handler_cancellation=cancelled)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with ClientSession(f"http://{host}:{port}") as browser:
        async with browser.get("/few") as response:
            await response.content.readline()
            response.close()
        async with asyncio.timeout(20):
            while not app[FAILURES]:
                await asyncio.sleep(0.01)
        (failure,) = app[FAILURES]
        assert issubclass(failure, asyncio.CancelledError if cancelled else ConnectionError)
        asked = len(sim.requests)
        await asyncio.sleep(0.05)
        assert len(sim.requests) == asked < 10
    await runner.cleanup()


async def test_webhooks_reach_their_handlers():
    receiver, handled = WebhookReceiver(WebhookVerifier("wbhsec_test", max_body=1_200_000)), []

    @receiver.on("case.*")
    async def note(event):
        handled.append(event.id)

    app = web.Application()
    app.router.add_post("/webhooks", webhook_handler(receiver))
    async with asking(app) as client:
        told = {"name": "case.created", "created-at": "2026-01-01T09:00:00Z", "filler": "x" * 1_100_000}
        body = json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": told}}).encode()
        headers = {"Persona-Signature": sign(body, "wbhsec_test")}
        for data, sent, status in ((body, headers, 204), (body, {}, 400), (b"x" * 1_200_001, headers, 413)):
            async with client.post("/webhooks", data=io.BytesIO(data), headers=sent) as response:
                assert response.status == status
    assert handled == ["evt_1"]


async def test_readiness_is_known_without_a_request(ask, sim):
    async with ask.get("/ready") as response:
        assert (response.status, (await response.json())["ready"]) == (200, True)
    assert len(sim.requests) == 0
    with pytest.raises(InvalidArgumentError, match="max_waiting"):
        readiness_handler(max_waiting=True)
