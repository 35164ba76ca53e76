"""The request of each change, exactly as the vendor's contract specifies. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from persona_cases.changes import (
    AddComment,
    AddObjects,
    AddTag,
    Assign,
    Change,
    RemoveObjects,
    RemoveTag,
    SetStatus,
    SetTags,
    Update,
)
from persona_cases.json_values import encode_body
from persona_cases.models import UNSET
from persona_cases.protocol.message import Request, Safety

__all__ = ["change_request"]


def change_request(path: str, change: Change, uploads: Sequence[dict[str, str]] = ()) -> Request:
    """Return the request that makes a change.

    Args:
        path: the path of the case.
        change: the change.
        uploads: the attachments of an update, encoded.
    """
    match change:
        case Update():
            safety = Safety.REPEATABLE if change.repeatable else Safety.ONCE
            return Request("PATCH", path, body=encode_body(_update(change, uploads)), safety=safety)
        case Assign():
            return _post(path, "assign", {"user-email-address": change.email})
        case SetStatus():
            return _post(path, "set-status", {"status": change.status})
        case AddTag():
            return _post(path, "add-tag", _given(change.name, change.tag_id))
        case RemoveTag():
            return _post(path, "remove-tag", _given(change.name, change.tag_id))
        case SetTags():
            # The API's keys are singular although the values are lists.
            return _post(path, "set-tags", _given(change.names, change.tag_ids))
        case AddComment():
            return _post(path, "add-comment", {"message": change.message})
        case AddObjects():
            return _post(path, "add-objects", {"object-ids": change.object_ids})
        case RemoveObjects():
            return _post(path, "remove-objects", {"object-ids": change.object_ids})
        case _:  # pragma: no cover
            assert_never(change)


def _post(path: str, action: str, meta: dict[str, Any]) -> Request:
    return Request("POST", f"{path}/{action}", body=encode_body({"meta": meta}), safety=Safety.KEYED)


def _given(names: object, ids: object) -> dict[str, Any]:
    return {key: value for key, value in (("tag-name", names), ("tag-id", ids)) if value is not None}


def _update(change: Update, uploads: Sequence[dict[str, str]]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if change.fields is not UNSET:
        attributes["fields"] = change.fields
    if change.case_queue_id is not UNSET:
        attributes["case-queue-id"] = change.case_queue_id
    if uploads:
        attributes["attachments"] = uploads
    body: dict[str, Any] = {"data": {"attributes": attributes}} if attributes else {}
    if change.sla_expires_in is not UNSET:
        body["meta"] = {"sla-expires-in-seconds": change.sla_expires_in}
    return body
