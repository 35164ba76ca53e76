"""Hints for code that uses a case and its fields like those of another library."""

from __future__ import annotations

from persona_cases.teaching import Lessons

__all__ = ["CASE", "FIELDS", "custom_field"]


def custom_field(key: str) -> str:
    """Say how to read the custom field with a key."""
    return f': it is a custom field, so write case.fields["{key}"]'


_CHANGE = "a case does not change: write case = await persona.cases.{0}"
_RELATED = "write case.relationships.{0} for the ids, case.{0} for the objects if the request included them"
_LOAD = "a case is what the API sent: write await persona.cases.get(case) for a fresh one"

CASE = Lessons(
    names={
        "attributes data": "its attributes are its own, such as case.status; case.to_dict() gives them all",
        "custom_fields custom custom_attributes properties": "write case.fields",
        "to_json json model_dump dict as_dict asdict": "write case.to_dict(), or case.raw for the bytes",
        "from_json parse_obj model_validate": "write Case.from_dict(...)",
        "get keys values": "write case.fields.get(key), or case.to_dict()",
        "state": "cases do not show it; case.status is the label of the status",
        "extra": "write case.extras",
        "owner assigned_to": "write case.assignee_id",
        "created": "write case.created_at",
        "modified modified_at changed_at": "write case.updated_at",
        "sla due_at due": "write case.sla_expires_at",
        "account account_id account_ids": _RELATED.format("accounts"),
        "inquiry inquiry_id inquiry_ids": _RELATED.format("inquiries"),
        "report report_id report_ids": _RELATED.format("reports"),
        "txns": "write case.transactions",
        "files documents": "write case.attachments",
        "reload refresh": _LOAD,
        "update save edit": _CHANGE.format("update(case, fields={...})"),
        "set_status close resolve": _CHANGE.format("set_status(case, status)"),
        "add_tag": _CHANGE.format("add_tag(case, name)"),
        "add_comment": _CHANGE.format("add_comment(case, message)"),
        "assign": _CHANGE.format("assign(case, email)"),
        "delete redact": _CHANGE.format("redact(case)"),
    },
    arguments={"from_dict.only from_dict.fields": "write fieldset=Fieldset.of([...])"},
    uses={"__getitem__": "is no mapping: write case.fields[key] for a custom field, case.to_dict() for all"},
)

FIELDS = Lessons(
    names={
        "to_dict as_dict asdict dict": "write dict(case.fields)",
        "type types": "write case.fields.typed(key).type",
    },
)
