"""The events that a change of a case causes, and the record of an event.

The names are those that the vendor documents, including `case.updated`, which it lists without a description.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from persona_cases.surface import publish
from persona_cases.testing.http.json_types import is_object
from persona_cases.testing.world.stored_cases import CaseRecord

__all__ = ["SimulatedEvent", "events_of"]

Told: TypeAlias = tuple[str, Mapping[str, Any]]
"""The name of an event, and its context, with names in kebab-case."""

Teller: TypeAlias = Callable[[CaseRecord, CaseRecord, Collection[str]], Iterator[Told]]

_ATTRIBUTES = tuple(field.name for field in attrs.fields(CaseRecord))
_ALONG_WITH_OTHERS = frozenset(
    {"updated_at", "updater_id", "updater_type", "assigned_at", "assigner_id", "assigner_type"}
    | {"resolution", "resolved_at", "resolver_id", "resolver_type"}
)
"""Attributes that change along with others, and cause no event by themselves."""


@attrs.frozen(kw_only=True)
class SimulatedEvent:
    """An event of the simulator.

    Attributes:
        number: its position among all events, from 1.
        id: its id.
        name: what happened, such as `case.assigned`.
        created_at: when it happened, as the API writes it.
        case: the case after the event; None if the event is not about a case.
        payload: the object of an event that is not about a case, as JSON.
        context: additional data, with names in kebab-case.
    """

    number: int
    id: str
    name: str
    created_at: str
    case: CaseRecord | None = attrs.field(default=None, repr=False)
    payload: Any = attrs.field(default=None, repr=False)
    context: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)

    @property
    def object_id(self) -> str | None:
        """The id of the object that the event is about, if it has one."""
        if self.case is not None:
            return self.case.id
        data: Any = self.payload.get("data") if is_object(self.payload) else None
        return data["id"] if is_object(data) and isinstance(data.get("id"), str) else None


def events_of(before: CaseRecord | None, after: CaseRecord, ends: Collection[str]) -> Iterator[Told]:
    """Return the events that a change causes, in order.

    Args:
        before: the case before the change; None if it was created.
        after: the case after the change.
        ends: the statuses of its template that resolve a case.
    """
    if before is None:
        yield "case.created", {}
        return
    if after.redacted_at is not None and before.redacted_at is None:
        yield "case.redacted", {}
        return
    changed = {name for name in _ATTRIBUTES if getattr(before, name) != getattr(after, name)}
    for attribute, tell in _TOLD_OF.items():
        if attribute in changed:
            yield from tell(before, after, ends)
    if changed - _TOLD_OF.keys() - _ALONG_WITH_OTHERS:
        yield "case.updated", {}


def _status(before: CaseRecord, after: CaseRecord, ends: Collection[str]) -> Iterator[Told]:
    yield "case.status-updated", {}
    if after.status in ends and before.status not in ends:
        yield "case.resolved", {}
    if before.status in ends and after.status not in ends:
        yield "case.reopened", {}


def _tags(before: CaseRecord, after: CaseRecord, _: Collection[str]) -> Iterator[Told]:
    added = [tag for tag in after.tags if tag not in before.tags]
    removed = [tag for tag in before.tags if tag not in after.tags]
    if added or removed:
        yield "case.updated-tags", {"added-tags": added, "removed-tags": removed}


def _just(name: str) -> Teller:
    def tell(_before: CaseRecord, _after: CaseRecord, _ends: Collection[str]) -> Iterator[Told]:
        yield name, {}

    return tell


_TOLD_OF: Mapping[str, Teller] = {
    "assignee_id": _just("case.assigned"),
    "queue_id": _just("case.queue-updated"),
    "status": _status,
    "fields": _just("case.updated-fields"),
    "tags": _tags,
}


publish("persona_cases.testing", SimulatedEvent)
