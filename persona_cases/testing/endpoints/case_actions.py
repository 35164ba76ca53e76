"""The actions on a case with their own paths: objects, assignment, status, tags, comments."""

from __future__ import annotations

from typing import Any

from persona_cases.testing.endpoints.case_references import existing_tag, find_user, new_objects, tags_to_have
from persona_cases.testing.endpoints.case_writes import STAMP, writable_case
from persona_cases.testing.endpoints.single_case import WRITTEN, SingleCase
from persona_cases.testing.http.problems import bad_request, not_found, unprocessable
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.request_bodies import Members, Node
from persona_cases.testing.world.catalog import API_KEY
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord, Template, timestamp

__all__ = ["CaseActions"]


class CaseActions:
    """The endpoints `POST /cases/{id}/...`.

    Args:
        store: the cases.
        clock: the clock that dates assignments and resolutions.
    """

    def __init__(self, store: CaseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add_objects(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/add-objects`: each object once, and not too many."""
        wanted, ids = SingleCase.asked_by(call), _object_ids(call)
        case = writable_case(call, self._store)
        objects = new_objects(ids, self._store, self._store.objects(case.id))
        return self._reply(wanted, self._store.attach(case.id, objects, **STAMP))

    def remove_objects(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/remove-objects`: if none of them is attached, the case does not change."""
        wanted, ids = SingleCase.asked_by(call), set(_object_ids(call).texts())
        case = writable_case(call, self._store)
        if any(ref.id in ids for ref in self._store.objects(case.id)):
            case = self._store.detach(case.id, ids, **STAMP)
        return self._reply(wanted, case)

    def assign(self, call: ReceivedCall) -> Reply:
        """`POST /cases/{id}/assign`."""
        wanted, address = SingleCase.asked_by(call), _meta(call, "user_email_address").need("user_email_address")
        address.text()
        case = writable_case(call, self._store)
        user = find_user(address, self._store)
        return self._change(
            wanted,
            case,
            assignee_id=user.email,
            assigned_at=self._now(),
            assigner_id=API_KEY.id,
            assigner_type=API_KEY.type,
        )

    def set_status(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/set-status`: an end status resolves the case, any other reopens it."""
        wanted, status = SingleCase.asked_by(call), _status(call)
        name = status.text()
        case = writable_case(call, self._store)
        template = self._store.templates[case.template_id]
        if name not in template.statuses:
            raise unprocessable(f"Status must be among {', '.join(template.statuses)}", status.pointer)
        return self._change(wanted, case, status=name, **self._resolution(case, name, template))

    def add_tag(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/add-tag`: a new name becomes a tag of the organisation."""
        wanted, node = SingleCase.asked_by(call), _one_tag(call)
        case = writable_case(call, self._store)
        name = existing_tag(node, self._store) if _is_id(node) else node.text()
        return self._change(wanted, case, tags=tags_to_have((*case.tags, name), node, self._store))

    def remove_tag(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/remove-tag`: the tag must exist, whether or not the case has it."""
        wanted, node = SingleCase.asked_by(call), _one_tag(call)
        case = writable_case(call, self._store)
        name = existing_tag(node, self._store) if _is_id(node) else node.text()
        if name not in self._store.tags:
            raise not_found(node.place)
        return self._change(wanted, case, tags=tuple(tag for tag in case.tags if tag != name))

    def set_tags(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/{id}/set-tags`: the keys of the arrays are singular."""
        wanted, meta = SingleCase.asked_by(call), _meta(call, "tag_name", "tag_id")
        if not meta:
            raise bad_request("meta.tag_name or meta.tag_id is missing")
        names = meta["tag_name"].texts() if "tag_name" in meta else []
        ids = meta["tag_id"].items() if "tag_id" in meta else []
        case = writable_case(call, self._store)
        tags = (*names, *(existing_tag(item, self._store) for item in ids))
        return self._change(wanted, case, tags=tags_to_have(tags, meta.need(next(iter(meta))), self._store))

    def add_comment(self, call: ReceivedCall) -> Reply:
        """`POST /cases/{id}/add-comment`."""
        wanted, message = SingleCase.asked_by(call), _meta(call, "message").need("message").text()
        case = writable_case(call, self._store)
        return self._reply(wanted, self._store.add_comment(case.id, message, API_KEY, **STAMP))

    def _now(self) -> str:
        return timestamp(self._clock.now())

    def _change(self, wanted: SingleCase, case: CaseRecord, **changes: Any) -> Reply:
        return self._reply(wanted, self._store.update_case(case.id, **changes, **STAMP))

    def _reply(self, wanted: SingleCase, case: CaseRecord) -> Reply:
        return wanted.reply(case, self._store, unasked=WRITTEN)

    def _resolution(self, case: CaseRecord, status: str, template: Template) -> dict[str, Any]:
        if status == case.status:
            return {}
        if status in template.end:
            return {
                "resolution": status.capitalize(),
                "resolved_at": self._now(),
                "resolver_id": API_KEY.id,
                "resolver_type": API_KEY.type,
            }
        return {"resolution": None, "resolved_at": None, "resolver_id": None, "resolver_type": None}


def _meta(call: ReceivedCall, *names: str) -> Members:
    return Node(call.body()).members("meta").need("meta").members(*names)


def _object_ids(call: ReceivedCall) -> Node:
    ids = _meta(call, "object_ids").need("object_ids")
    if not ids.texts():
        raise bad_request(f"{ids.place} must be filled")
    return ids


def _status(call: ReceivedCall) -> Node:
    """Return the status to set; before 2025-10-27, it could be among the attributes."""
    body = Node(call.body()).members("meta", *(("data",) if call.look.is_open else ()))
    if "data" in body and "meta" not in body:
        return body["data"].members("attributes").need("attributes").members("status").need("status")
    return body.need("meta").members("status").need("status")


def _one_tag(call: ReceivedCall) -> Node:
    meta = _meta(call, "tag_name", "tag_id")
    if len(meta) != 1:
        raise bad_request("meta must have either tag_name or tag_id")
    (node,) = meta.values()
    node.text()
    return node


def _is_id(node: Node) -> bool:
    return node.place == "meta.tag_id"
