"""The application: a page and its files, a small JSON API, a stream of changes, and webhooks."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, StringConstraints

from persona_cases import Case, PersonaClient, Predicate, Q
from persona_cases.integrations.fastapi import PersonaDep, add_error_handlers, webhook_route
from persona_cases.testing import Simulator
from persona_cases.webhooks import WebhookEvent, WebhookReceiver, WebhookVerifier

from .live import Broadcast
from .scene import set_scene
from .settings import Settings
from .shown import ROW, Row, Whole, row, whole

STATIC = Path(__file__).parent / "static"
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
MOST_ROWS, MOST_LOOKED_AT = 50, 500
RELATED = ["case-template", "case-queue", "case-comments"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000)]


class Assignment(BaseModel):
    email: Text


class Decision(BaseModel):
    status: Text


class Comment(BaseModel):
    message: Text


class Tag(BaseModel):
    name: Text


def make_app(settings: Settings | None = None) -> FastAPI:
    chosen = settings or Settings.from_environment()
    live = Broadcast()
    receiver = WebhookReceiver(WebhookVerifier(chosen.webhook_secret))

    @receiver.on("case.*")
    async def changed(event: WebhookEvent) -> None:
        if event.case is not None:
            live.tell(row(event.case), event.name)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            persona = await stack.enter_async_context(await _client(app, chosen, stack))
            app.state.persona = persona
            await stack.enter_async_context(receiver)
            stack.callback(live.close)
            yield

    app = FastAPI(title="Review desk", lifespan=running)
    add_error_handlers(app)
    app.post("/webhooks/persona")(webhook_route(receiver))
    _add_reading(app, chosen, live)
    app.include_router(changes)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


async def _client(app: FastAPI, settings: Settings, stack: AsyncExitStack) -> PersonaClient:
    if not settings.simulated:
        return PersonaClient(max_wait=5)
    sim = await stack.enter_async_context(Simulator(cases=0))
    set_scene(sim, settings.analysts)
    sim.webhooks.deliver_to(app, path="/webhooks/persona", secret=settings.webhook_secret)
    app.state.simulator = sim
    return sim.client(max_wait=5)


def refuse_other_sites(sec_fetch_site: Annotated[str, Header()] = "none") -> None:
    """Reject changes that a page of another site makes a browser request."""
    if sec_fetch_site not in {"same-origin", "none"}:
        raise HTTPException(403, "this request came from another site")


def _add_reading(app: FastAPI, settings: Settings, live: Broadcast) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": POLICY})

    @app.get("/api/settings")
    async def shown_settings() -> dict[str, tuple[str, ...]]:
        return {"analysts": settings.analysts, "decisions": settings.decisions}

    @app.get("/api/cases")
    async def queue(persona: PersonaDep, status: str = "", priority: str = "", assignee: str = "") -> list[Row]:
        found = persona.cases.search(_where(status, priority), sort=Q.sla_expires_at.asc(), only=ROW)
        rows: list[Row] = []
        # Searches know people by ids that the API does not show, so the assignee is compared here.
        async for case in found.limit(MOST_LOOKED_AT):
            if _is_with(case, assignee):
                rows.append(row(case))
            if len(rows) == MOST_ROWS:
                break
        return rows

    @app.get("/api/cases/{case_id}")
    async def show(case_id: str, persona: PersonaDep) -> Whole:
        case = await persona.cases.get(case_id, include=RELATED)
        return whole(case, await persona.events.list(object_id=case, limit=50).collect())

    @app.get("/api/live")
    async def stream() -> StreamingResponse:
        return StreamingResponse(live.listen(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


changes = APIRouter(prefix="/api/cases/{case_id}", dependencies=[Depends(refuse_other_sites)])


@changes.post("/assign")
async def assign(case_id: str, asked: Assignment, persona: PersonaDep) -> Row:
    return row(await persona.cases.assign(case_id, asked.email))


@changes.post("/decide")
async def decide(case_id: str, asked: Decision, persona: PersonaDep) -> Row:
    return row(await persona.cases.set_status(case_id, asked.status))


@changes.post("/comment")
async def comment(case_id: str, asked: Comment, persona: PersonaDep) -> Row:
    return row(await persona.cases.add_comment(case_id, asked.message))


@changes.post("/tag")
async def tag(case_id: str, asked: Tag, persona: PersonaDep) -> Row:
    return row(await persona.cases.add_tag(case_id, asked.name))


@changes.post("/untag")
async def untag(case_id: str, asked: Tag, persona: PersonaDep) -> Row:
    return row(await persona.cases.remove_tag(case_id, asked.name))


def _where(status: str, priority: str) -> Predicate:
    wanted = [Q.status.eq(status)] if status else []
    return Q.all_of([*wanted, *([Q.fields.priority.eq(priority)] if priority else [])])


def _is_with(case: Case, assignee: str) -> bool:
    return not assignee or (case.assignee_id is None if assignee == "nobody" else case.assignee_id == assignee)
