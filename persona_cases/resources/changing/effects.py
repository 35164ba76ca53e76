"""The visible effects of a change on a case, as digests. Pure.

A journal must show after a crash whether a change was made, but must not hold personal data. So it holds digests of the
values that the case has to show, keyed by its run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, cast

import attrs
import msgspec

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
from persona_cases.changes.change_values import Upload
from persona_cases.models import UNSET, Case

__all__ = ["Effects", "can_repeat", "change_digest", "digest", "effects_of"]

_SIZE: Final = 16
_TAG, _OBJECT, _FIELD = "tag", "object", "field "


@attrs.frozen
class Effects:
    """The state that a case has to show.

    Attributes:
        shows: digests of values, by attribute.
        has: digests of tags and objects that must be present.
        lacks: digests of tags and objects that must be absent.
    """

    shows: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def in_case(self, case: Case, key: str) -> bool:
        """Return whether a case shows all effects; `key` is the key of the run."""
        if any(digest(key, name, _shown(case, name)) != value for name, value in self.shows.items()):
            return False
        there = {digest(key, kind, name) for kind, name in _members(case)} if self.has or self.lacks else set[str]()
        return there.issuperset(self.has) and there.isdisjoint(self.lacks)


def effects_of(change: Change, key: str) -> Effects | None:
    """Return the effects of a change; None if cases do not show whether it was made."""
    match change:
        case SetStatus():
            return Effects({"status": digest(key, "status", change.status)})
        case Assign():
            return Effects({"assignee": digest(key, "assignee", change.email.casefold())})
        case AddTag(name=str() as name):
            return Effects(has=(digest(key, _TAG, name),))
        case RemoveTag(name=str() as name):
            return Effects(lacks=(digest(key, _TAG, name),))
        case SetTags(names=tuple() as names, tag_ids=None):
            return Effects({"tags": digest(key, "tags", sorted(set(names)))})
        case AddObjects():
            return Effects(has=tuple(digest(key, _OBJECT, each) for each in change.object_ids))
        case RemoveObjects():
            return Effects(lacks=tuple(digest(key, _OBJECT, each) for each in change.object_ids))
        case Update(attachments=(), sla_expires_in=sla) if sla is UNSET or sla is None:
            return Effects({name: digest(key, name, value) for name, value in _set_by(change)})
        case _:
            # Cases do not show ids of tags. An SLA is set relative to now, and others may write the same comment.
            return None


def can_repeat(change: Change) -> bool:
    """Return whether making a change twice has the same effect as making it once."""
    return not isinstance(change, AddComment) and not (isinstance(change, Update) and change.attachments)


def change_digest(change: Change, key: str) -> str:
    """Return a digest that identifies a change."""
    arguments = {name: _described(value) for name, value in attrs.asdict(change, recurse=False).items()}
    return digest(key, type(change).__name__, arguments)


def digest(key: str, name: str, value: object) -> str:
    """Return the digest of a value under a key.

    Args:
        key: the key of a run, up to 64 characters; empty for digests that are compared across runs.
        name: the name of the attribute.
        value: a JSON value, in which `5`, `5.0` and `Decimal(5)` are the same.
    """
    text = msgspec.json.encode([name, _plain(value)], order="sorted")
    return hashlib.blake2b(text, digest_size=_SIZE, key=key.encode()).hexdigest()


def _set_by(change: Update) -> Iterator[tuple[str, object]]:
    if change.fields is not UNSET:
        yield from ((f"{_FIELD}{name}", value) for name, value in change.fields.items())
    if change.case_queue_id is not UNSET:
        yield "queue", change.case_queue_id
    if change.sla_expires_in is not UNSET:
        yield "sla", None


def _shown(case: Case, name: str) -> object:
    match name:
        case "status":
            return case.status
        case "assignee":
            return None if case.assignee_id is None else case.assignee_id.casefold()
        case "tags":
            return sorted(set(case.tags))
        case "queue":
            return case.case_queue_id
        case "sla":
            return None if case.sla_expires_at is None else case.sla_expires_at.isoformat()
        case _:
            return case.fields.get(name.removeprefix(_FIELD))


def _members(case: Case) -> Iterator[tuple[str, str]]:
    yield from ((_TAG, name) for name in case.tags)
    linked = case.relationships
    for each in (*linked.accounts, *linked.inquiries, *linked.reports, *linked.verifications, *linked.txns):
        yield _OBJECT, each.id
    for other in linked.extras.values():
        yield from ((_OBJECT, id) for id in _ids_in(other))


def _ids_in(relationship: object) -> Iterator[str]:
    data: object = cast("dict[str, object]", relationship).get("data") if isinstance(relationship, dict) else None
    for each in cast("list[object]", data) if isinstance(data, list) else [data]:
        if isinstance(each, dict) and isinstance(id := cast("dict[str, object]", each).get("id"), str):
            yield id


def _plain(value: object) -> object:
    match value:
        case bool():
            return value
        case float() | Decimal():
            return int(value) if value == int(value) else float(value)
        case dict():
            return {name: _plain(each) for name, each in cast("dict[str, object]", value).items()}
        case list() | tuple():
            return [_plain(each) for each in cast("list[object] | tuple[object, ...]", value)]
        case _:
            return value


def _described(value: Any) -> object:
    match value:
        case Upload(content=bytes() as content):
            return [value.filename, hashlib.blake2b(content, digest_size=_SIZE).hexdigest()]
        case tuple():
            return [_described(each) for each in cast("tuple[object, ...]", value)]
        case dict() | str() | int() | None:
            return cast("object", value)
        case _:
            # UNSET, a path.
            return str(value)
