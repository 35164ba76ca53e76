"""aiohttp.web: a client for the application, errors, streams, webhooks and probes."""

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
        What `app.cleanup_ctx.append(...)` takes.

    Raises:
        InvalidArgumentError: when the application starts, if an argument of the client cannot work.
    """

    async def opened(app: web.Application) -> AsyncGenerator[None]:
        # The client belongs to the loop that serves the application, so it is made here and not at import.
        async with opened_client(client_options) as persona:
            app[_PERSONA] = persona
            yield

    return opened


def get_persona(request: web.Request) -> PersonaClient:
    """Return the client of the application, or of the one that it is mounted in.

    Raises:
        ClientStateError: if there is none.
    """
    persona = request.config_dict.get(_PERSONA)
    if persona is None:
        raise ClientStateError("the application has no client: app.cleanup_ctx.append(persona_context())")
    return persona


def error_middleware(*, rate_limit_status: Literal[429, 503] = 503) -> Middleware:
    """Return a middleware that answers errors of the client with problem documents (RFC 9457).

    It answers as `add_error_handlers` does in FastAPI: nothing that the vendor wrote is passed on, and
    `InvalidArgumentError` stays an error of the program.

    Args:
        rate_limit_status: the status for a used-up limit.
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
    """Answer with cases as JSON Lines, each as the API sent it.

    The first page is fetched before the response begins, so that a wrong key or a bad query is a status and not a torn
    body. At most one page is fetched ahead of what the browser takes. If the browser goes away, the iteration stops. A
    later error ends the stream with a line `{"error": ..., "cursor": ...}`; the cursor is what `pager.resume` takes.

    Args:
        request: what is answered.
        pager: the cases.

    Raises:
        PersonaError: whatever the first request raises.
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
        receiver: checks the signatures and hands out the events.
    """

    async def deliver(request: web.Request) -> web.StreamResponse:
        # Not `request.read()`, whose bound is that of the application and not of the receiver.
        chunks = request.content.iter_any()
        return web.Response(status=await status_of(receiver, chunks, request.headers.get(SIGNATURE)))

    return deliver


def readiness_handler(*, max_waiting: int = MAX_WAITING) -> Handler:
    """Return a handler for the probes of an orchestrator.

    Add it with `app.router.add_get("/ready", readiness_handler())`. It sends nothing to the API. The answer is what the
    limiter knows, such as `remaining` and `cooling_for`.

    Args:
        max_waiting: how many calls may wait for the rate limit; above that, the answer is 503 with `Retry-After`.

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
