"""The parts of a case that browsers see."""

from datetime import datetime
from typing import Any, TypeGuard

from pydantic import BaseModel

from persona_cases import Case
from persona_cases.webhooks import WebhookEvent

ROW = ("name", "status", "assignee_id", "sla_expires_at", "resolved_at", "updated_at", "tags", "fields.priority")
"""The attributes that a row of the queue needs."""


class Row(BaseModel):
    id: str
    name: str | None
    status: str | None
    priority: str
    assignee: str | None
    sla: str | None
    resolved: bool
    updated: str | None
    tags: list[str]


class Named(BaseModel):
    name: str
    value: str


class Document(BaseModel):
    name: str
    size: int | None
    url: str | None


class Moment(BaseModel):
    at: str | None
    what: str
    text: str


class Whole(Row):
    queue: str | None
    created: str | None
    fields: list[Named]
    documents: list[Document]
    history: list[Moment]


def row(case: Case) -> Row:
    return Row(
        id=case.id,
        name=case.name,
        status=case.status,
        priority=str(case.fields.get("priority") or ""),
        assignee=case.assignee_id,
        sla=_iso(case.sla_expires_at),
        resolved=case.resolved_at is not None,
        updated=_iso(case.updated_at),
        tags=list(case.tags or ()),
    )


def whole(case: Case, events: list[WebhookEvent]) -> Whole:
    schemas = () if case.template is None else case.template.field_schemas or ()
    labels = {schema.key: schema.label or schema.key for schema in schemas}
    queue = case.queue
    return Whole(
        **row(case).model_dump(),
        queue=None if queue is None else queue.name,
        created=_iso(case.created_at),
        fields=[Named(name=labels.get(key, key), value=_plain(value)) for key, value in case.fields.items()],
        documents=[
            Document(name=each.filename or "document", size=each.byte_size, url=each.url)
            for each in case.attachments or ()
        ],
        history=_history(case, events),
    )


def _history(case: Case, events: list[WebhookEvent]) -> list[Moment]:
    comments = [
        Moment(at=_iso(each.created_at), what=f"comment by {each.commenter_id}", text=each.message or "")
        for each in case.comments
    ]
    happened = [Moment(at=_iso(each.created_at), what=_words(each), text="") for each in events]
    return sorted([*comments, *happened], key=lambda moment: moment.at or "", reverse=True)


def _words(event: WebhookEvent) -> str:
    words = event.name.removeprefix("case.").replace("-", " ")
    if event.case is not None and event.name == "case.status-updated":
        return f"{words} to {event.case.status}"
    if event.case is not None and event.name == "case.assigned":
        return f"{words} to {event.case.assignee_id}"
    return words


def _plain(value: Any) -> str:
    if _is_list(value):
        return ", ".join(map(_plain, value))
    return "" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
