"""A web service over cases: one client for the application, awaited in its handlers.

    uvicorn fastapi_app:app

Needs PERSONA_API_KEY; to try it without an account, start `persona-cases simulator` and export what it prints.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from persona_cases import NotFoundError, PersonaClient, QueryError
from persona_cases.query import parse


class State(TypedDict):
    persona: PersonaClient


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[State]:
    # The client belongs to the loop that serves the application, so it is made here and not at import.
    async with PersonaClient(max_wait=5) as persona:
        yield {"persona": persona}


def client_of(request: Request) -> PersonaClient:
    persona: PersonaClient = request.state.persona
    return persona


Persona = Annotated[PersonaClient, Depends(client_of)]

app = FastAPI(lifespan=lifespan)


@app.get("/cases/{case_id}")
async def show(case_id: str, persona: Persona) -> dict[str, Any]:
    try:
        case = await persona.cases.get(case_id)
    except NotFoundError:
        raise HTTPException(404, "no such case") from None
    return {"id": case.id, "status": case.status, "created_at": case.created_at, "tags": case.tags}


@app.get("/cases")
async def search(persona: Persona, where: Annotated[str, Query(examples=["status == 'open'"])]) -> StreamingResponse:
    try:
        pager = persona.cases.search(parse(where))
    except QueryError as error:
        raise HTTPException(422, str(error)) from None

    async def lines() -> AsyncGenerator[bytes]:
        async for case in pager:
            yield case.raw_line + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
