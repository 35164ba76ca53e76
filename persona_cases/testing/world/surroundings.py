"""The objects related to a case, as `include` returns them, invented from their ids on demand.

Names are in the vendor's kebab case; the form follows its schemas for `included`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from persona_cases.testing.world import catalog
from persona_cases.testing.world.field_values import field_value
from persona_cases.testing.world.identifiers import Draw
from persona_cases.testing.world.stored_cases import Actor, CaseRecord, FieldSpec, Ref, Resource, Template

__all__ = ["comment", "describe", "template_resource"]


def comment(ref: Ref, message: str, created_at: str, author: Actor) -> Resource:
    """Return a comment on a case."""
    return Resource(
        ref,
        {
            "message": message,
            "created-at": created_at,
            "updated-at": created_at,
            "commenter-id": author.id,
            "commenter-type": author.type,
        },
    )


def template_resource(template: Template) -> Resource:
    """A case template with the schemas of its fields."""
    return Resource(
        Ref("case-template", template.id),
        {
            "status": "active",
            "name": template.name,
            "resolutions": [status.capitalize() for status in template.end],
            "created-at": "2023-03-25T07:04:16.667Z",
            "updated-at": "2023-03-25T07:04:16.667Z",
            "archived-at": None,
            "field-schemas": [_field_schema(spec) for spec in template.fields],
        },
    )


def describe(
    ref: Ref, case: CaseRecord, templates: Mapping[str, Template], reference_ids: Mapping[str, str]
) -> Resource | None:
    """The object that `ref` points to, or None if the simulator has no such thing."""
    kind = ref.type.partition("/")[0]
    draw = Draw(ref.id)
    if kind == "case-template":
        return template_resource(templates[ref.id]) if ref.id in templates else None
    if kind == "case-queue":
        return _queue(ref, templates)
    if kind == "case-comment":
        return comment(ref, draw.pick(catalog.COMMENTS), case.created_at, draw.pick(catalog.USERS).actor)
    if kind == "account":
        return _account(ref, draw, reference_ids.get(ref.id))
    build = _FROM_CASE.get(kind)
    return build(ref, case, draw) if build else None


def _field_schema(spec: FieldSpec) -> dict[str, Any]:
    config: dict[str, Any] = {"required": False, "archived-at": None, "deactivated-at": None}
    if spec.options:
        config |= {"allow-empty": True, "options": list(spec.options)}
    return {"type": spec.type, "key": spec.key, "label": spec.label, "config": config}


def _queue(ref: Ref, templates: Mapping[str, Template]) -> Resource | None:
    for template in templates.values():
        for queue in template.queues:
            if queue.id == ref.id:
                created = "2023-03-25T07:10:02.001Z"
                return Resource(
                    ref,
                    {
                        "status": "active",
                        "name": queue.name,
                        "created-at": created,
                        "updated-at": created,
                        "archived-at": None,
                    },
                )
    return None


def _person(draw: Draw) -> tuple[str, str]:
    return draw.pick(catalog.FIRST_NAMES), draw.pick(catalog.LAST_NAMES)


def _account(ref: Ref, draw: Draw, reference_id: str | None) -> Resource:
    # Cases share accounts, so nothing of the case that asks may show: all accounts are older than any case.
    created = f"2023-{draw.between(1, 12):02}-{draw.between(1, 28):02}T09:30:00.000Z"
    first, last = _person(draw)
    name = {part: field_value("string", value) for part, value in (("first", first), ("last", last))}
    return Resource(
        ref,
        {
            "reference-id": reference_id,
            "account-type-name": "User",
            "created-at": created,
            "updated-at": created,
            "redacted-at": None,
            "fields": {
                "name": field_value("hash", name),
                "email_address": field_value("string", f"{first}.{last}@example.com".lower()),
            },
            "tags": [],
            "account-status": "Default",
        },
        {"account-type": _link("account-type", draw.id("acttp"))},
    )


def _link(type_: str, id_: str) -> dict[str, Any]:
    return {"data": Ref(type_, id_)}


def _account_link(case: CaseRecord) -> dict[str, Any]:
    return {"data": case.accounts[0] if case.accounts else None}


_LATER_TIMES = (
    "started-at",
    "expires-at",
    "completed-at",
    "failed-at",
    "marked-for-review-at",
    "decisioned-at",
    "expired-at",
    "redacted-at",
)


def _inquiry(ref: Ref, case: CaseRecord, draw: Draw) -> Resource:
    first, last = _person(draw)
    times: dict[str, Any] = dict.fromkeys(_LATER_TIMES)
    return Resource(
        ref,
        {
            "status": "completed",
            "reference-id": None,
            "note": None,
            "behaviors": {},
            "tags": [],
            "creator": "API",
            "reviewer-comment": None,
            "created-at": case.created_at,
            "updated-at": case.created_at,
            **times,
            "started-at": case.created_at,
            "completed-at": case.created_at,
            "previous-step-name": None,
            "next-step-name": "complete",
            "fields": {
                "name-first": field_value("string", first),
                "name-last": field_value("string", last),
            },
        },
        {
            "account": _account_link(case),
            "reports": {"data": case.reports},
            "verifications": {"data": case.verifications},
        },
    )


def _report(ref: Ref, case: CaseRecord, draw: Draw) -> Resource:
    return Resource(
        ref,
        {
            "status": "ready",
            "created-at": case.created_at,
            "completed-at": case.created_at,
            "redacted-at": None,
            "report-template-version-name": "v1",
            "has-match": draw.chance(0.2),
            "is-continuous": False,
            "is-recurring": False,
            "tags": [],
        },
        {"account": _account_link(case), "inquiry": {"data": None}},
    )


def _verification(ref: Ref, case: CaseRecord, draw: Draw) -> Resource:
    return Resource(
        ref,
        {
            "status": "passed" if draw.chance(0.8) else "failed",
            "created-at": case.created_at,
            "submitted-at": case.created_at,
            "completed-at": case.created_at,
            "redacted-at": None,
            "country-code": draw.pick(("DE", "FR", "US")),
            "tags": [],
            "checks": [],
        },
        {"accounts": {"data": case.accounts}},
    )


def _transaction(ref: Ref, case: CaseRecord, draw: Draw) -> Resource:
    return Resource(
        ref,
        {
            "status": "open",
            "reference-id": None,
            "fields": {"amount": field_value("number", draw.below(500_000) / 100)},
            "tags": [],
            "created-at": case.created_at,
            "updated-at": case.created_at,
        },
        {"transaction-type": _link("transaction-type", draw.id("txntp"))},
    )


_FROM_CASE: Mapping[str, Callable[[Ref, CaseRecord, Draw], Resource]] = {
    "inquiry": _inquiry,
    "report": _report,
    "verification": _verification,
    "transaction": _transaction,
}
