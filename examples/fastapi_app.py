"""Serve cases with FastAPI: a case, pages of a query from the browser, a stream, and a readiness probe.

    uvicorn fastapi_app:app

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

from typing import Annotated

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from persona_cases import Predicate
from persona_cases.integrations.fastapi import (
    CaseId,
    CaseOut,
    CasePage,
    PersonaDep,
    add_error_handlers,
    ndjson,
    persona_lifespan,
    readiness_route,
    where_query,
)


class Summary(CaseOut, only=("status", "created_at", "tags", "fields.priority")):
    """What browsers may see of a case."""


Where = Annotated[Predicate, where_query(allow={"status", "created_at", "fields.priority"})]

app = FastAPI(lifespan=persona_lifespan(max_wait=5))
add_error_handlers(app)
app.get("/ready")(readiness_route())


@app.get("/cases/{case_id}")
async def show(case_id: CaseId, persona: PersonaDep) -> Summary:
    return Summary(await persona.cases.get(case_id, only=Summary.names))


@app.get("/cases")
async def search(persona: PersonaDep, where: Where, cursor: str | None = None) -> CasePage[Summary]:
    return await CasePage[Summary].of(persona.cases.search(where, only=Summary.names, page_size=20), cursor)


@app.get("/cases.ndjson")
async def stream(persona: PersonaDep, where: Where) -> StreamingResponse:
    return await ndjson(persona.cases.search(where))
