"""Templates as the API sends them, and their generated modules."""

from __future__ import annotations

import itertools
import sys
from types import ModuleType
from typing import Any

from persona_cases.codegen.module_source import class_names, module_source
from persona_cases.codegen.template_reading import read_template
from persona_cases.models import CaseTemplate, structure

_numbers = itertools.count()


def schema(kind: str, key: str, label: str | None = None, **config: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "label": label, "config": config}


ADDRESS = schema(
    "hash",
    "address",
    item_schemas=[
        schema("string", "l-2-address"),
        schema("choices", "kind", options=["home", "work"]),
        schema("date", "since"),
    ],
)
CONTACT = schema("hash", "contact", item_schemas=[schema("string", "name", required=True), schema("number", "share")])

FIELDS = [
    schema("choices", "priority", required=True, options=["low", "medium", "high", "urgent"]),
    schema("number", "risk_score", "Risk score"),
    schema("integer", "attempts"),
    schema("boolean", "exposed", redaction_policy="never"),
    schema("date", "document_expiry"),
    schema("datetime", "checked_at"),
    schema("string", "notes", "Reviewer notes"),
    schema("email-address", "contact_email"),
    schema("string", "reference", write_policy="write_once"),
    schema("multi-choices", "risk_tags", options=["age", "device"]),
    schema("file", "scan"),
    schema("relation-schema", "document", target="document-generic"),
    schema("json", "payload"),
    schema("telepathy", "newer"),
    ADDRESS,
    schema("array", "contacts", item_schema=CONTACT),
    schema("array", "aliases", item_schema=schema("string", "alias")),
    schema("array", "anything"),
    schema("string", "old", archived_at="2023-06-29T23:54:35.293Z"),
    schema("string", "paused", deactivated_at="2023-06-29T23:54:35.293Z"),
    schema("integer", "class"),
    schema("string", "cases"),
    schema("string", "of"),
    schema("string", "changes"),
]


def template(*fields: dict[str, Any], id: str = "ctmpl_KYC", name: str = "KYC") -> CaseTemplate:
    attributes = {"status": "active", "name": name, "field_schemas": list(fields)}
    return structure({"type": "case-template", "id": id, "attributes": attributes}, CaseTemplate)


def source(*templates: CaseTemplate, **names: str) -> str:
    planned = [read_template(each) for each in templates]
    return module_source(planned, class_names(planned, {id: name for name, id in names.items()}))


def load(text: str) -> ModuleType:
    """Import a module from its source. It is among the imported ones, as pickles need it."""
    module = ModuleType(f"generated_{next(_numbers)}")
    sys.modules[module.__name__] = module
    exec(compile(text, module.__name__, "exec", dont_inherit=True), vars(module))
    return module
