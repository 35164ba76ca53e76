"""The endpoints that create, update and redact cases.

Every endpoint parses and checks the whole request before it changes the store.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from persona_cases.testing.endpoints.case_references import deadline, find_queue, find_template, find_user, new_objects
from persona_cases.testing.endpoints.field_schema import plain_values
from persona_cases.testing.endpoints.served_files import media_type
from persona_cases.testing.endpoints.single_case import WRITTEN, SingleCase
from persona_cases.testing.http.problems import conflict, not_found, unprocessable
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.request_bodies import Members, Node
from persona_cases.testing.world.catalog import API_KEY
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord

__all__ = ["STAMP", "CaseWrites", "writable_case"]

STAMP: Mapping[str, Any] = {"updater_id": API_KEY.id, "updater_type": API_KEY.type}
"""The attributes that every change through the API sets on a case, in addition to its time."""


class CaseWrites:
    """The endpoints that write whole cases.

    Args:
        store: the cases.
        clock: the clock from which SLAs are counted.
    """

    def __init__(self, store: CaseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, call: ReceivedCall) -> Reply:
        """`POST /cases`."""
        wanted = SingleCase.asked_by(call)
        body = Node(call.body()).members("data", "meta")
        names = ("case_template_id", "creator_email_address", "case_queue_id")
        attributes, fields = _attributes(body.need("data"), names, call, top_only=call.look.is_open)
        meta = body.below("meta").members("object_ids", "sla_expires_in_seconds")
        template = find_template(attributes.need("case_template_id"), self._store)
        changes: dict[str, Any] = {"creator_id": API_KEY.id, "creator_type": API_KEY.type, **STAMP}
        if "case_queue_id" in attributes:
            changes["queue_id"] = find_queue(attributes["case_queue_id"], self._store)
        if "creator_email_address" in attributes:
            creator = find_user(attributes["creator_email_address"], self._store).actor
            changes |= {"creator_id": creator.id, "creator_type": creator.type}
        if "sla_expires_in_seconds" in meta:
            changes["sla_expires_at"] = deadline(meta["sla_expires_in_seconds"], self._clock.now())
        objects = new_objects(meta["object_ids"], self._store, ()) if "object_ids" in meta else []
        values = plain_values(template, fields, any_spelling=call.look.is_open)
        with self._store.one_change():
            case = self._store.create_case(template.id, fields=values, **changes)
            if objects:
                case = self._store.attach(case.id, objects, updated_at=case.updated_at)
        return wanted.reply(case, self._store, unasked=WRITTEN, status=201)

    def update(self, call: ReceivedCall) -> Reply:
        """Handle `PATCH /cases/{id}`: attributes that are not sent do not change, and files are added."""
        wanted = SingleCase.asked_by(call)
        body = Node(call.body()).members("data", "meta")
        attributes, fields = _attributes(body.below("data"), ("case_queue_id", "attachments"), call)
        meta = body.below("meta").members("sla_expires_in_seconds")
        uploads = [_upload(item) for item in attributes["attachments"].items()] if "attachments" in attributes else []
        case = writable_case(call, self._store)
        changes: dict[str, Any] = {}
        if "case_queue_id" in attributes:
            queue = attributes["case_queue_id"]
            changes["queue_id"] = None if queue.value is None else find_queue(queue, self._store)
        if "sla_expires_in_seconds" in meta:
            changes["sla_expires_at"] = deadline(meta["sla_expires_in_seconds"], self._clock.now())
        template = self._store.templates[case.template_id]
        values = plain_values(template, fields, any_spelling=call.look.is_open)
        if uploads:
            files = tuple(self._store.upload(filename, content) for filename, content in uploads)
            changes["attachments"] = (*case.attachments, *files)
        case = self._store.update_case(case.id, fields=values, **changes, **STAMP)
        return wanted.reply(case, self._store, unasked=WRITTEN)

    def redact(self, call: ReceivedCall) -> Reply:
        """Handle `DELETE /cases/{id}`: the fields and files of the case are erased, but the case remains."""
        wanted = SingleCase.asked_by(call)
        case = writable_case(call, self._store)
        return wanted.reply(self._store.redact_case(case.id, **STAMP), self._store, unasked=WRITTEN)


def writable_case(call: ReceivedCall, store: CaseStore) -> CaseRecord:
    """Return the case that a request is about.

    Raises:
        AnsweredError: 404 if there is none; 409 if it is redacted.
    """
    case = store.cases.get(call.path["id"])
    if case is None:
        raise not_found()
    if case.redacted_at is not None:
        raise conflict("Case already redacted")
    return case


def _attributes(
    data: Node, names: tuple[str, ...], call: ReceivedCall, *, top_only: bool = False
) -> tuple[Members, dict[str, Node]]:
    """Return the attributes of a body, and its custom fields.

    Before 2025-10-27, custom fields are next to the attributes; in a creation (`top_only`), only there.
    """
    node = data.members("attributes").below("attributes")
    known = names if top_only else (*names, "fields")
    if not call.look.is_open:
        attributes = node.members(*known)
        return attributes, attributes.below("fields").entries()
    attributes, fields = node.members_and_others(*known)
    return attributes, {**fields, **attributes.below("fields").entries()}


def _upload(node: Node) -> tuple[str, bytes]:
    members = node.members("data", "filename")
    name = members.need("filename")
    filename = name.text()
    if "/" in filename or "\\" in filename or media_type(filename) is None:
        raise unprocessable("File must be a PDF or an image", name.pointer)
    data = members.need("data")
    try:
        content = base64.b64decode(data.text(), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("File must be encoded in base 64", data.pointer) from None
    return filename, content
