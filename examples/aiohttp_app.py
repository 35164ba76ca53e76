"""Serve cases with aiohttp.web: a case, a stream of cases, webhooks and a readiness probe.

    python aiohttp_app.py

Set PERSONA_API_KEY and PERSONA_WEBHOOK_SECRET. To try it without an account, run `persona-cases simulator` and set the
variables that it prints.
"""

import os
from collections.abc import AsyncGenerator

from aiohttp import web

from persona_cases import Q
from persona_cases.integrations.aiohttp import (
    error_middleware,
    get_persona,
    ndjson,
    persona_context,
    readiness_handler,
    webhook_handler,
)
from persona_cases.webhooks import WebhookEvent, WebhookReceiver, WebhookVerifier


async def show(request: web.Request) -> web.Response:
    case = await get_persona(request).cases.get(request.match_info["case_id"], only=["status", "tags"])
    return web.json_response({"id": case.id, "status": case.status, "tags": case.tags})


async def open_cases(request: web.Request) -> web.StreamResponse:
    return await ndjson(request, get_persona(request).cases.search(Q.status.eq("open")))


def make_app() -> web.Application:
    receiver = WebhookReceiver(WebhookVerifier(os.environ["PERSONA_WEBHOOK_SECRET"]))

    @receiver.on("case.*")
    async def note(event: WebhookEvent) -> None:
        print(event.name)

    async def receiving(_app: web.Application) -> AsyncGenerator[None]:
        async with receiver:
            yield

    app = web.Application(middlewares=[error_middleware()])
    app.cleanup_ctx.extend([persona_context(max_wait=5), receiving])
    app.router.add_get("/cases/{case_id}", show)
    app.router.add_get("/open.ndjson", open_cases)
    app.router.add_post("/webhooks/persona", webhook_handler(receiver))
    app.router.add_get("/ready", readiness_handler())
    return app


if __name__ == "__main__":
    web.run_app(make_app())
