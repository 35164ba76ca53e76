"""Serve cases with Starlette: a case, a query from the browser, and a readiness probe.

    uvicorn starlette_app:app

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from persona_cases import parse
from persona_cases.integrations.fastapi import (
    CaseOut,
    add_error_handlers,
    get_persona,
    ndjson,
    persona_lifespan,
    readiness_route,
)


class Summary(CaseOut, only=("status", "tags")):
    """What browsers may see of a case."""


async def show(request: Request) -> Response:
    case = await get_persona(request).cases.get(request.path_params["case_id"], only=Summary.names)
    return JSONResponse(Summary(case).to_dict())


async def search(request: Request) -> Response:
    where = parse(request.query_params.get("where", ""))
    where.check(allow={"status", "created_at"}, max_depth=3, max_leaves=10)
    return await ndjson(get_persona(request).cases.search(where))


app = Starlette(
    routes=[
        Route("/cases/{case_id}", show),
        Route("/search", search),
        Route("/ready", readiness_route()),
    ],
    lifespan=persona_lifespan(max_wait=5),
)
add_error_handlers(app)
