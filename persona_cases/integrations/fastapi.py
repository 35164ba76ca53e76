"""FastAPI and Starlette: a client for the application, queries from browsers, streams, errors and webhooks.

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
        lifespan: a lifespan of your own, which runs inside; its state is kept.
        client_options: arguments of `PersonaClient`, such as `max_wait=5`. `limiter`, `creation_limiter` and `session`
            may be functions that return one when the application starts; it is closed with the client.

    Returns:
        What `FastAPI(lifespan=...)` and `Starlette(lifespan=...)` take.

    Raises:
        InvalidArgumentError: when the application starts, if an argument of the client cannot work.
    """

    @asynccontextmanager
    async def opened(app: Any) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            # The client belongs to the loop that serves the application, so it is made here and not at import.
            persona = await stack.enter_async_context(opened_client(client_options))
            # Not every server passes the state of a lifespan on to requests; httpx's ASGITransport does not.
            stack.callback(setattr, app.state, _STATE, getattr(app.state, _STATE, None))
            app.state.persona = persona
            own = None if lifespan is None else await stack.enter_async_context(lifespan(app))
            yield {**(own or {}), _STATE: persona}

    return opened


def get_persona(connection: HTTPConnection) -> PersonaClient:
    """Return the client of the application; `app.dependency_overrides[get_persona]` replaces it in tests.

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
    # An InvalidArgumentError is a ValueError, which FastAPI answers with 422.
    segment(value, "case_id")
    return value


CaseId: TypeAlias = Annotated[str, AfterValidator(_case_id)]
"""The id of a case from a browser: one that cannot be an id is answered with 422."""

PersonaDep: TypeAlias = Annotated[PersonaClient, Depends(get_persona)]
"""The client of the application, as a parameter of a handler."""


def add_error_handlers(app: Starlette, *, rate_limit_status: Literal[429, 503] = 503) -> None:
    """Let errors of the client become problem documents (RFC 9457).

    404, 409 and 422 stay what they are. Where the service itself is at fault (400, 401, 403 of the API), or the API
    is, the answer is 502. A used-up limit is answered with `Retry-After`, and an unknown outcome is 504 with the
    idempotency key. Nothing that the vendor wrote is passed on. `InvalidArgumentError` stays an error of the program.

    Args:
        app: the application.
        rate_limit_status: the status for a used-up limit.
    """

    async def answer(_: Request, error: Exception) -> Response:
        problem = problem_of(cast("PersonaError", error), rate_limit_status=rate_limit_status)
        if problem is None:
            raise error
        return JSONResponse(problem.document(), problem.status, problem.headers, MEDIA_TYPE)

    app.add_exception_handler(PersonaError, answer)


async def ndjson(pager: Pager[Case], *, on_error: OnError = "trailer") -> StreamingResponse:
    """Return a response that streams cases as JSON Lines, each as the API sent it.

    The first page is fetched before the response begins, so that a wrong key or a bad query is a status and not a torn
    body. At most one page is fetched ahead of what the client takes. If the client goes away, the iteration stops.

    Args:
        pager: the cases.
        on_error: what a later error does. `trailer` ends the stream with a line `{"error": ..., "cursor": ...}`; the
            cursor is what `pager.resume` takes. `raise` breaks the connection off.

    Raises:
        PersonaError: whatever the first request raises.
        InvalidArgumentError: if `on_error` is neither.
    """
    if on_error not in {"trailer", "raise"}:
        raise InvalidArgumentError("on_error must be 'trailer' or 'raise'")
    pages = pager.pages()
    first = await anext(pages, None)
    return _Pages(first, pages, on_error)


class _Pages(StreamingResponse):
    """Streams pages, and ends the walk with the response, however that ends."""

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
    """Return a dependency that reads a query from the JSON of the request's body.

    Args:
        allow: the attributes that may be asked for, such as `{"status", "fields.priority"}`; `"fields.*"` is any custom
            field.
        max_depth: how deep the query may nest.
        max_leaves: how many comparisons it may have.

    Returns:
        What `Annotated[Predicate, where_body(...)]` takes. A query that is not one, or asks for more, raises a
        `QueryError`, which `add_error_handlers` answers with 422 and the JSON pointer.
    """
    checked = _checker(allow, max_depth, max_leaves)

    # Any JSON, so that one mistake is answered like another: FastAPI would answer with what was sent.
    def read(where: Annotated[Any, Body(json_schema_extra={"type": "object"})]) -> Predicate:
        return checked(Predicate.from_dict(where))

    return Depends(read)


def _checker(allow: Collection[str], max_depth: int, max_leaves: int) -> Callable[[Predicate], Predicate]:
    def checked(predicate: Predicate) -> Predicate:
        predicate.check(allow=allow, max_depth=max_depth, max_leaves=max_leaves)
        _check_values(predicate)
        return predicate

    # The bounds themselves are checked when the application is made.
    checked(Q.all_of([]))
    return checked


def _check_values(predicate: Predicate) -> None:
    """Refuse values that an attribute is never compared with: JSON takes any, and the API would refuse them later."""
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

    It is like `where_body` otherwise.

    Args:
        allow: the attributes that may be asked for.
        name: the name of the parameter.
        max_depth: how deep the query may nest.
        max_leaves: how many comparisons it may have.
    """
    checked = _checker(allow, max_depth, max_leaves)

    def read(where: Annotated[str, Query(alias=name)]) -> Predicate:
        return checked(parse(where))

    return Depends(read)


def webhook_route(receiver: WebhookReceiver) -> Callable[[Request], Any]:
    """Return a handler for the deliveries of a webhook: `app.post("/webhooks/persona")(webhook_route(receiver))`.

    Args:
        receiver: checks the signatures and hands out the events.
    """

    async def deliver(request: Request) -> Response:
        return Response(status_code=await status_of(receiver, request.stream(), request.headers.get(SIGNATURE)))

    return deliver


def readiness_route(*, max_waiting: int = MAX_WAITING) -> Callable[[Request], Any]:
    """Return a handler for the probes of an orchestrator: `app.get("/ready")(readiness_route())`.

    It sends nothing to the API. The answer is what the limiter knows, such as `remaining` and `cooling_for`.

    Args:
        max_waiting: how many calls may wait for the rate limit; above that, the answer is 503 with `Retry-After`.

    Raises:
        InvalidArgumentError: if `max_waiting` is not a whole number of at least 0.
    """
    whole_number(max_waiting, "max_waiting", least=0)

    # FastAPI fills the second argument in, which tests may override; Starlette passes the request alone.
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
