"""Integration with FastAPI and Starlette: a client, queries from browsers, streams, errors and webhooks.

It needs FastAPI: `pip install 'persona-cases[fastapi]'`.
"""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from fastapi import Body, Depends, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from persona_cases import (
    Case,
    ClientStateError,
    InvalidArgumentError,
    Pager,
    PersonaClient,
    PersonaError,
    Predicate,
    Q,
    QueryError,
)
from persona_cases.integrations.case_out import CaseOut, CasePage
from persona_cases.integrations.opened_client import opened_client
from persona_cases.integrations.problem_documents import MEDIA_TYPE, problem_of
from persona_cases.integrations.readiness import MAX_WAITING, readiness_of
from persona_cases.integrations.streamed_pages import JSON_LINES, lines_of
from persona_cases.integrations.webhook_deliveries import SIGNATURE, status_of
from persona_cases.paging import Page, Walk
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.checks import whole_number
from persona_cases.query import Comparison, parse
from persona_cases.query.attributes import SEARCHABLE
from persona_cases.query.predicate_json import placed_nodes
from persona_cases.surface import publish
from persona_cases.webhooks import WebhookReceiver

__all__ = [
    "CaseId",
    "CaseOut",
    "CasePage",
    "PersonaDep",
    "add_error_handlers",
    "get_persona",
    "ndjson",
    "persona_lifespan",
    "readiness_route",
    "webhook_route",
    "where_body",
    "where_query",
]

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]
OnError: TypeAlias = Literal["trailer", "raise"]

DEFAULT_MAX_DEPTH: Final = 4
DEFAULT_MAX_LEAVES: Final = 50

_STATE: Final = "persona"


def persona_lifespan(lifespan: Lifespan | None = None, **client_options: Any) -> Lifespan:
    """Return a lifespan that opens one `PersonaClient` for the application, and closes it at the end.

    Args:
        lifespan: your own lifespan, which runs inside this one; its state is kept.
        client_options: arguments of `PersonaClient`, such as `max_wait=5`. `limiter`, `creation_limiter` and `session`
            may be functions that return one when the application starts; it is closed with the client.

    Returns:
        A lifespan for `FastAPI(lifespan=...)` or `Starlette(lifespan=...)`.

    Raises:
        InvalidArgumentError: when the application starts, if an argument of the client is invalid.
    """

    @asynccontextmanager
    async def opened(app: Any) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            # The client belongs to the loop that serves the application, so it is created here and not at import.
            persona = await stack.enter_async_context(opened_client(client_options))
            # Not every server passes the lifespan's state on to requests; httpx's ASGITransport does not.
            stack.callback(setattr, app.state, _STATE, getattr(app.state, _STATE, None))
            app.state.persona = persona
            own = None if lifespan is None else await stack.enter_async_context(lifespan(app))
            yield {**(own or {}), _STATE: persona}

    return opened


def get_persona(connection: HTTPConnection) -> PersonaClient:
    """Return the client of the application; `app.dependency_overrides[get_persona]` replaces it in tests.

    Args:
        connection: the request or WebSocket being handled.

    Returns:
        The client.

    Raises:
        ClientStateError: if the application has no `persona_lifespan`.
    """
    persona: PersonaClient | None = getattr(connection.state, _STATE, None)
    if persona is None:
        persona = getattr(connection.app.state, _STATE, None)
    if persona is None:
        raise ClientStateError("the application has no client: make it with FastAPI(lifespan=persona_lifespan())")
    return persona


def _case_id(value: str) -> str:
    # FastAPI turns a ValueError, such as InvalidArgumentError, into a 422.
    segment(value, "case_id")
    return value


CaseId: TypeAlias = Annotated[str, AfterValidator(_case_id)]
"""The id of a case from a browser; an invalid one gives a 422 response."""

PersonaDep: TypeAlias = Annotated[PersonaClient, Depends(get_persona)]
"""The client of the application, as a parameter of a handler."""


def add_error_handlers(app: Starlette, *, rate_limit_status: Literal[429, 503] = 503) -> None:
    """Turn errors of the client into problem documents (RFC 9457).

    404, 409 and 422 keep their status. If the service itself is at fault (400, 401, 403 of the API), or the API is, the
    status is 502. The response for an exhausted limit has `Retry-After`, and an unknown outcome gives 504 with the
    idempotency key. Nothing that the vendor wrote is passed on. `InvalidArgumentError` stays an error of the program.

    Args:
        app: the application.
        rate_limit_status: the status for an exhausted limit.
    """

    async def answer(_: Request, error: Exception) -> Response:
        problem = problem_of(cast("PersonaError", error), rate_limit_status=rate_limit_status)
        if problem is None:
            raise error
        return JSONResponse(problem.document(), problem.status, problem.headers, MEDIA_TYPE)

    app.add_exception_handler(PersonaError, answer)


async def ndjson(pager: Pager[Case], *, on_error: OnError = "trailer") -> StreamingResponse:
    """Return a response that streams cases as JSON Lines, each as the API sent it.

    The first page is fetched before the response begins, so a wrong key or an invalid query gives an error status
    instead of a truncated body. At most one page is fetched ahead of the client. If the client disconnects, the
    iteration stops.

    Args:
        pager: the cases.
        on_error: the effect of a later error. `trailer` ends the stream with a line `{"error": ..., "cursor": ...}`;
            pass the cursor to `pager.resume`. `raise` closes the connection.

    Returns:
        The response.

    Raises:
        PersonaError: any error that the first request raises.
        InvalidArgumentError: if `on_error` is neither `trailer` nor `raise`.
    """
    if on_error not in {"trailer", "raise"}:
        raise InvalidArgumentError("on_error must be 'trailer' or 'raise'")
    pages = pager.pages()
    first = await anext(pages, None)
    return _Pages(first, pages, on_error)


class _Pages(StreamingResponse):
    """Streams pages, and ends the iteration when the response ends in any way."""

    def __init__(self, first: Page[Case] | None, pages: Walk[Case], on_error: OnError) -> None:
        super().__init__(lines_of(first, pages, trailer=on_error == "trailer"), media_type=JSON_LINES)
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._pages.aclose()


def where_body(
    *,
    allow: Collection[str],
    max_depth: int = DEFAULT_MAX_DEPTH,
    max_leaves: int = DEFAULT_MAX_LEAVES,
) -> Any:
    """Return a dependency that reads a query from the JSON in the request's body.

    Args:
        allow: the attributes that queries may compare, such as `{"status", "fields.priority"}`; `"fields.*"` means any
            custom field.
        max_depth: maximum nesting depth of the query.
        max_leaves: maximum number of comparisons.

    Returns:
        A dependency for `Annotated[Predicate, where_body(...)]`. An invalid query, or one that uses more, raises a
        `QueryError`, which `add_error_handlers` turns into a 422 with the JSON pointer.
    """
    checked = _checker(allow, max_depth, max_leaves)

    # Any JSON, so that all mistakes get the same kind of response: FastAPI's own would quote the body.
    def read(where: Annotated[Any, Body(json_schema_extra={"type": "object"})]) -> Predicate:
        return checked(Predicate.from_dict(where))

    return Depends(read)


def _checker(allow: Collection[str], max_depth: int, max_leaves: int) -> Callable[[Predicate], Predicate]:
    def checked(predicate: Predicate) -> Predicate:
        predicate.check(allow=allow, max_depth=max_depth, max_leaves=max_leaves)
        _check_values(predicate)
        return predicate

    # Checks the limits themselves when the application is created.
    checked(Q.all_of([]))
    return checked


def _check_values(predicate: Predicate) -> None:
    """Raise for values that an attribute cannot be compared with, because the API would reject them later."""
    for placed in placed_nodes(predicate):
        node = placed.node
        if isinstance(node, Comparison) and node.attribute in SEARCHABLE:
            try:
                getattr(getattr(Q, node.attribute), node.operator)(node.value)
            except QueryError as error:
                reason = str(error)
            else:
                continue
            raise QueryError(reason, pointer=placed.pointer)


def where_query(
    *,
    allow: Collection[str],
    name: str = "where",
    max_depth: int = DEFAULT_MAX_DEPTH,
    max_leaves: int = DEFAULT_MAX_LEAVES,
) -> Any:
    """Return a dependency that reads a query in text form, such as `status == 'open'`, from the query string.

    Otherwise it works like `where_body`.

    Args:
        allow: the attributes that queries may compare.
        name: the name of the parameter.
        max_depth: maximum nesting depth of the query.
        max_leaves: maximum number of comparisons.

    Returns:
        A dependency for `Annotated[Predicate, where_query(...)]`.
    """
    checked = _checker(allow, max_depth, max_leaves)

    def read(where: Annotated[str, Query(alias=name)]) -> Predicate:
        return checked(parse(where))

    return Depends(read)


def webhook_route(receiver: WebhookReceiver) -> Callable[[Request], Any]:
    """Return a handler for the deliveries of a webhook: `app.post("/webhooks/persona")(webhook_route(receiver))`.

    Args:
        receiver: checks the signatures and passes the events to their handlers.

    Returns:
        The handler.
    """

    async def deliver(request: Request) -> Response:
        return Response(status_code=await status_of(receiver, request.stream(), request.headers.get(SIGNATURE)))

    return deliver


def readiness_route(*, max_waiting: int = MAX_WAITING) -> Callable[[Request], Any]:
    """Return a handler for the probes of an orchestrator: `app.get("/ready")(readiness_route())`.

    It sends nothing to the API. The response holds the state of the limiter, such as `remaining` and `cooling_for`.

    Args:
        max_waiting: maximum number of calls that wait for the rate limit; above that, the response is 503 with
            `Retry-After`.

    Returns:
        The handler.

    Raises:
        InvalidArgumentError: if `max_waiting` is not a whole number of at least 0.
    """
    whole_number(max_waiting, "max_waiting", least=0)

    # FastAPI fills in the second argument, which tests may override; Starlette passes only the request.
    async def ready(
        request: Request, persona: Annotated[PersonaClient | None, Depends(get_persona)] = None
    ) -> Response:
        client = get_persona(request) if persona is None else persona
        told = readiness_of(client.limiter.state, max_waiting)
        return JSONResponse(told.document, told.status, told.headers)

    return ready


publish("persona_cases.integrations.fastapi", add_error_handlers, get_persona, ndjson, persona_lifespan)
publish("persona_cases.integrations.fastapi", readiness_route, webhook_route, where_body, where_query)


def __dir__() -> list[str]:
    return __all__
