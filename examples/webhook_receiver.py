"""Receive webhooks, keep the newest state of each case, and catch up on missed events at the start.

    uvicorn webhook_receiver:app

Set PERSONA_API_KEY and PERSONA_WEBHOOK_SECRETS: one secret or, while you rotate it, the new and the old one with a
space between them.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from persona_cases import Case, PersonaClient
from persona_cases.integrations.fastapi import persona_lifespan, webhook_route
from persona_cases.webhooks import WebhookEvent, WebhookReceiver, WebhookVerifier

MOST_MISSED = 1_000

cases: dict[str, Case] = {}
receiver = WebhookReceiver(WebhookVerifier(*os.environ["PERSONA_WEBHOOK_SECRETS"].split()))


@receiver.on("case.*")
async def keep(event: WebhookEvent) -> None:
    if event.case is None:
        return
    known = cases.get(event.case.id)
    if known is None or not event.is_older_than(known):
        cases[event.case.id] = event.case
        print(event.name, event.case.id, event.case.status)


async def catch_up(persona: PersonaClient) -> None:
    """Handle the events that happened while this program did not run, oldest first."""
    missed = await persona.events.list(limit=MOST_MISSED).collect()
    for event in reversed(missed):
        await keep(event)


@asynccontextmanager
async def receiving(app: FastAPI) -> AsyncGenerator[None]:
    async with receiver:
        await catch_up(app.state.persona)
        yield


app = FastAPI(lifespan=persona_lifespan(receiving))
app.post("/webhooks/persona")(webhook_route(receiver))


@app.get("/cases/{case_id}/status")
async def status(case_id: str) -> dict[str, str | None]:
    case = cases.get(case_id)
    return {"status": None if case is None else case.status}
