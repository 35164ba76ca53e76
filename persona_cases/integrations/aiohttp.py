"""Integration with aiohttp.web: a client for the application, errors, streams, webhooks and probes."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from persona_cases import Case, ClientStateError, Pager, PersonaClient, PersonaError
from persona_cases.integrations.opened_client import opened_client
from persona_cases.integrations.problem_documents import MEDIA_TYPE, problem_of
from persona_cases.integrations.readiness import MAX_WAITING, readiness_of
from persona_cases.integrations.streamed_pages import JSON_LINES, lines_of
from persona_cases.integrations.webhook_deliveries import SIGNATURE, status_of
from persona_cases.protocol.checks import whole_number
from persona_cases.surface import publish
from persona_cases.webhooks import WebhookReceiver

__all__ = [
    "error_middleware",
    "get_persona",
    "ndjson",
    "persona_context",
    "readiness_handler",
    "webhook_handler",
]

Context: TypeAlias = Callable[[web.Application], AsyncGenerator[None]]

_PERSONA: Final = web.AppKey("persona", PersonaClient)


def persona_context(**client_options: Any) -> Context:
    """Return a context that opens one `PersonaClient` for the application, and closes it at the end.

    Args:
        client_options: arguments of `PersonaClient`, such as `max_wait=5`. `limiter`, `creation_limiter` and `session`
            may be functions that return one when the application starts; it is closed with the client.

    Returns:
        A function for `app.cleanup_ctx.append(...)`.

    Raises:
        InvalidArgumentError: when the application starts, if an argument of the client is invalid.
    """

    async def opened(app: web.Application) -> AsyncGenerator[None]:
        # The client belongs to the loop that serves the application, so it is created here and not at import.
        async with opened_client(client_options) as persona:
            app[_PERSONA] = persona
            yield

    return opened


def get_persona(request: web.Request) -> PersonaClient:
    """Return the client of the application, or of the application that it is mounted in.

    Args:
        request: the request being handled.

    Returns:
        The client.

    Raises:
        ClientStateError: if there is none.
    """
    persona = request.config_dict.get(_PERSONA)
    if persona is None:
        raise ClientStateError("the application has no client: app.cleanup_ctx.append(persona_context())")
    return persona


def error_middleware(*, rate_limit_status: Literal[429, 503] = 503) -> Middleware:
    """Return a middleware that turns errors of the client into problem documents (RFC 9457).

    It behaves like `add_error_handlers` for FastAPI: it passes on nothing that the vendor wrote, and
    `InvalidArgumentError` stays an error of the program.

    Args:
        rate_limit_status: the status for an exhausted limit.

    Returns:
        The middleware.
    """

    @web.middleware
    async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except PersonaError as error:
            problem = problem_of(error, rate_limit_status=rate_limit_status)
            if problem is None:
                raise
        return web.json_response(
            problem.document(), status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE
        )

    return answering


async def ndjson(request: web.Request, pager: Pager[Case]) -> web.StreamResponse:
    """Respond with cases as JSON Lines, each as the API sent it.

    The first page is fetched before the response begins, so a wrong key or an invalid query gives an error status
    instead of a truncated body. At most one page is fetched ahead of the browser. If the browser disconnects, the
    iteration stops. A later error ends the stream with a line `{"error": ..., "cursor": ...}`; pass the cursor to
    `pager.resume`.

    Args:
        request: the request being handled.
        pager: the cases.

    Returns:
        The finished response.

    Raises:
        PersonaError: any error that the first request raises.
    """
    pages = pager.pages()
    try:
        first = await anext(pages, None)
        response = web.StreamResponse(headers={"Content-Type": JSON_LINES})
        await response.prepare(request)
        async for lines in lines_of(first, pages):
            await response.write(lines)
        await response.write_eof()
    finally:
        await pages.aclose()
    return response


def webhook_handler(receiver: WebhookReceiver) -> Handler:
    """Return a handler for the deliveries of a webhook.

    Add it with `app.router.add_post("/webhooks/persona", webhook_handler(receiver))`.

    Args:
        receiver: checks the signatures and passes the events to their handlers.

    Returns:
        The handler.
    """

    async def deliver(request: web.Request) -> web.StreamResponse:
        # Not `request.read()`, which applies the limit of the application instead of the receiver's.
        chunks = request.content.iter_any()
        return web.Response(status=await status_of(receiver, chunks, request.headers.get(SIGNATURE)))

    return deliver


def readiness_handler(*, max_waiting: int = MAX_WAITING) -> Handler:
    """Return a handler for the probes of an orchestrator.

    Add it with `app.router.add_get("/ready", readiness_handler())`. It sends nothing to the API. The response holds the
    state of the limiter, such as `remaining` and `cooling_for`.

    Args:
        max_waiting: maximum number of calls that wait for the rate limit; above that, the response is 503 with
            `Retry-After`.

    Returns:
        The handler.

    Raises:
        InvalidArgumentError: if `max_waiting` is not a whole number of at least 0.
    """
    whole_number(max_waiting, "max_waiting", least=0)

    async def ready(request: web.Request) -> web.StreamResponse:
        told = readiness_of(get_persona(request).limiter.state, max_waiting)
        return web.json_response(told.document, status=told.status, headers=told.headers)

    return ready


publish("persona_cases.integrations.aiohttp", error_middleware, get_persona, ndjson, persona_context)
publish("persona_cases.integrations.aiohttp", readiness_handler, webhook_handler)


def __dir__() -> list[str]:
    return __all__
