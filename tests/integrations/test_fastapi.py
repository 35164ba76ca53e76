"""A FastAPI application over cases, asked through ASGI."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Annotated

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from persona_cases import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientStateError,
    ConflictError,
    DecodeError,
    IndeterminateError,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    PersonaClient,
    Predicate,
    Q,
    QueryError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    UnprocessableEntityError,
)
from persona_cases.errors import QuotaExceededError
from persona_cases.integrations.fastapi import (
    PersonaDep,
    add_error_handlers,
    get_persona,
    ndjson,
    persona_lifespan,
    webhook_route,
    where_body,
    where_query,
)
from persona_cases.testing import Fault
from persona_cases.webhooks import WebhookReceiver, WebhookVerifier, sign

ALLOWED = {"status", "created_at", "fields.priority"}
RAISED = []


def make_app(sim, lifespan=None, **settings):
    options = {"api_key": sim.api_key, "base_url": sim.base_url, "retry": RetryPolicy(attempts=1), "max_wait": 0}
    app = FastAPI(lifespan=persona_lifespan(lifespan, **options))
    add_error_handlers(app, **settings)

    @app.get("/cases/{case_id}")
    async def show(case_id: str, persona: PersonaDep) -> dict[str, str | None]:
        return {"status": (await persona.cases.get(case_id)).status}

    @app.post("/search")
    async def search(persona: PersonaDep, where: Annotated[Predicate, where_body(allow=ALLOWED, max_leaves=3)]):
        return await ndjson(persona.cases.search(where, page_size=10))

    @app.get("/search")
    async def search_text(persona: PersonaDep, where: Annotated[Predicate, where_query(allow=ALLOWED, name="q")]):
        return await ndjson(persona.cases.search(where, page_size=10))

    @app.get("/raises")
    async def fail() -> None:
        raise RAISED.pop()

    return app


@asynccontextmanager
async def asking(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app") as client,
    ):
        yield client


@pytest.fixture
async def ask(sim):
    async with asking(make_app(sim)) as client:
        yield client


async def test_handlers_share_the_client_of_the_application(ask, sim):
    case_id = next(iter(sim.store.cases))
    assert (await ask.get(f"/cases/{case_id}")).json() == {"status": sim.store.cases[case_id].status}


async def test_a_lifespan_of_ones_own_runs_inside(sim):
    ran = []

    @asynccontextmanager
    async def own(app):
        ran.append(isinstance(app.state.persona, PersonaClient))
        yield {"mine": 1}
        ran.append("closed")

    app = make_app(sim, own)
    async with app.router.lifespan_context(app) as state:
        assert state["mine"] == 1
        assert isinstance(state["persona"], PersonaClient)
    assert ran == [True, "closed"]


async def test_the_client_can_be_replaced_in_tests(sim):
    app = FastAPI()

    @app.get("/")
    async def show(persona: PersonaDep) -> str:
        return persona

    app.dependency_overrides[get_persona] = lambda: "another"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        assert (await client.get("/")).json() == "another"


async def test_an_application_without_a_client_says_so():
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def show(persona: PersonaDep) -> None: ...

    async with asking(app) as client:
        assert (await client.get("/")).status_code == 503


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("Sheila Miller", status=404), 404),
        (ConflictError("Sheila Miller", status=409), 409),
        (UnprocessableEntityError("Sheila Miller", status=422), 422),
        (BadRequestError("Sheila Miller", status=400), 502),
        (AuthenticationError("Sheila Miller", status=401), 502),
        (PermissionDeniedError("Sheila Miller", status=403), 502),
        (ServerError("Sheila Miller", status=500), 502),
        (APIError("Sheila Miller", status=418), 502),
        (DecodeError("Sheila Miller"), 502),
        (PaginationError("Sheila Miller"), 502),
        (RequestTimeoutError("Sheila Miller"), 504),
        (IndeterminateError("Sheila Miller", idempotency_key="key-1"), 504),
        (ClientStateError("Sheila Miller"), 503),
        (QueryError("the expression ends too early", pointer="/and/0"), 422),
        (RateLimitError("Sheila Miller", status=429, retry_after=2.2), 503),
        (QuotaExceededError("Sheila Miller", status=429, retry_after=0.1), 503),
        (InvalidArgumentError("Sheila Miller"), 500),
    ],
    ids=lambda value: value if isinstance(value, int) else type(value).__name__,
)
async def test_errors_become_problems_that_tell_nothing(ask, error, status):
    RAISED.append(error)
    response = await ask.get("/raises")
    assert response.status_code == status
    assert "Sheila" not in response.text
    if status == 500:
        return
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem.get("idempotency_key") == getattr(error, "idempotency_key", None)
    assert problem.get("pointer") == getattr(error, "pointer", None) or isinstance(error, DecodeError)
    if isinstance(error, RateLimitError):
        assert int(response.headers["retry-after"]) >= error.retry_after


async def test_a_used_up_limit_can_be_429(sim):
    async with asking(make_app(sim, rate_limit_status=429)) as client:
        RAISED.append(RateLimitError("x", status=429, retry_after=1))
        assert (await client.get("/raises")).status_code == 429


async def test_all_matching_cases_are_streamed(ask, sim):
    expected = {case.id for case in sim.store.cases.values() if case.status == "open"}
    by_body = await ask.post("/search", json=Q.status.eq("open").to_dict())
    by_text = await ask.get("/search", params={"q": "status == 'open'"})
    assert by_body.headers["content-type"] == "application/x-ndjson"
    assert {json.loads(line)["id"] for line in by_body.text.splitlines()} == expected
    assert by_text.text == by_body.text
    assert len(expected) > 10


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"and": [Q.status.eq("open").to_dict(), Q.fields.ssn.eq("1").to_dict()]}, "/and/1/attribute"),
        ({"or": [Q.status.eq("open").to_dict()] * 4}, "/or/3"),
        ({"attribute": "status", "op": "eq", "value": "open"}, None),
        ({"attribute": "created_at", "operator": "gt", "value": "soon"}, ""),
        ({"and": [{"not": {"attribute": "status", "operator": "eq", "value": 5}}]}, "/and/0/not"),
        ({"attribute": "status", "operator": "eq", "value": ["Sheila Miller"]}, "/value"),
        ({"attribute": "created_at", "operator": "gt", "value": "Sheila Miller"}, ""),
        ([], ""),
        ("Sheila Miller", ""),
        (None, None),
    ],
)
async def test_queries_from_outside_are_held_to_what_is_allowed(ask, sim, query, pointer):
    response = await ask.post("/search", json=query)
    assert response.status_code == 422
    assert "Sheila" not in response.text
    if pointer is not None:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["pointer"] == pointer
        assert len(response.json()["detail"]) > len("The query cannot be asked: ")
    assert len(sim.requests) == 0


@pytest.mark.parametrize("text", ["status ==", "fields.ssn == '1'", "nothing == 1"])
async def test_texts_from_outside_are_held_to_what_is_allowed(ask, sim, text):
    assert (await ask.get("/search", params={"q": text})).status_code == 422
    assert len(sim.requests) == 0


async def test_an_error_on_the_first_page_is_a_status(ask, sim):
    sim.faults.next(Fault.status(401))
    response = await ask.post("/search", json=Q.status.eq("open").to_dict())
    assert response.status_code == 502
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_later_error_ends_the_stream_with_the_cursor_to_resume_from(ask, sim):
    sim.faults.add(Fault.status(500), nth=2)
    response = await ask.post("/search", json=Q.status.eq("open").to_dict())
    *cases, trailer = map(json.loads, response.text.splitlines())
    assert len(cases) == 10
    assert trailer == {"error": "ServerError", "cursor": cases[-1]["id"]}


async def test_what_cannot_work_is_refused_when_the_application_is_made(sim):
    async with sim.client() as persona:
        with pytest.raises(InvalidArgumentError):
            await ndjson(persona.cases.list(), on_error="ignore")
    with pytest.raises(InvalidArgumentError):
        where_body(allow=ALLOWED, max_leaves=0)
    with pytest.raises(InvalidArgumentError):
        where_query(allow="status")


async def test_webhooks_reach_their_handlers():
    receiver, handled = WebhookReceiver(WebhookVerifier("wbhsec_test", max_body=1_000)), []

    @receiver.on("case.*")
    async def note(event):
        handled.append(event.id)

    app = FastAPI()
    app.post("/webhooks")(webhook_route(receiver))
    async with asking(app) as client:
        told = {"name": "case.created", "created-at": "2026-01-01T09:00:00Z"}
        body = json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": told}}).encode()
        headers = {"Persona-Signature": sign(body, "wbhsec_test")}
        assert (await client.post("/webhooks", content=body, headers=headers)).status_code == 204
        assert (await client.post("/webhooks", content=body)).status_code == 400
        assert (await client.post("/webhooks", content=b"x" * 1_001, headers=headers)).status_code == 413
    assert handled == ["evt_1"]


async def test_starlette_works_the_same(sim):
    async def show(request: Request) -> JSONResponse:
        case = await get_persona(request).cases.get(request.path_params["id"])
        return JSONResponse({"status": case.status})

    options = {"api_key": sim.api_key, "base_url": sim.base_url}
    app = Starlette(routes=[Route("/cases/{id}", show)], lifespan=persona_lifespan(**options))
    add_error_handlers(app)
    async with asking(app) as client:
        case_id = next(iter(sim.store.cases))
        assert (await client.get(f"/cases/{case_id}")).status_code == 200
        assert (await client.get("/cases/case_nothing")).status_code == 404
