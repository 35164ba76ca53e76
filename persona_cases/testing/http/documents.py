"""Documents of stored cases: inflection, sparse fieldsets, relationships, included objects, links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote

import attrs

from persona_cases.testing.http.inflection import Inflection, inflect, inflect_tree, to_snake
from persona_cases.testing.http.problems import bad_request
from persona_cases.testing.world.case_events import SimulatedEvent
from persona_cases.testing.world.file_links import FileLinks
from persona_cases.testing.world.ordering import Slice
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord, Ref, Resource, StoredFile

__all__ = [
    "Presentation",
    "check_include",
    "included",
    "links",
    "serialize_case",
    "serialize_event",
    "serialize_resource",
]

_CLOSED_SINCE = "2025-10-27"

_ATTRIBUTES: tuple[str, ...] = (
    "status",
    "name",
    "resolution",
    "created_at",
    "updated_at",
    "assigned_at",
    "resolved_at",
    "redacted_at",
    "sla_expires_at",
    "creator_id",
    "creator_type",
    "assignee_id",
    "assigner_id",
    "assigner_type",
    "resolver_id",
    "resolver_type",
    "updater_id",
    "updater_type",
)

_attributes_of = attrgetter(*_ATTRIBUTES)

_RELATIONSHIPS: Mapping[str, Callable[[CaseRecord], Ref | tuple[Ref, ...] | None]] = {
    "case-template": lambda case: Ref("case-template", case.template_id),
    "case-queue": lambda case: Ref("case-queue", case.queue_id) if case.queue_id else None,
    "case-comments": attrgetter("comments"),
    "accounts": attrgetter("accounts"),
    "inquiries": attrgetter("inquiries"),
    "reports": attrgetter("reports"),
    "verifications": attrgetter("verifications"),
    "txns": attrgetter("txns"),
}

_DEEPEST_INCLUDE = 2


@cache
def _spelled(names: tuple[str, ...], inflection: Inflection) -> tuple[str, ...]:
    # Cached, because a page repeats the same names a hundred times.
    return tuple(inflect(name, inflection) for name in names)


@attrs.frozen
class Presentation:
    """The presentation of a response, as requested.

    Attributes:
        inflection: spelling of attribute and relationship names.
        version: the API version as a date.
        files: makes the URLs of attachments.
        fieldsets: the requested names by type; types without an entry are complete.
    """

    inflection: Inflection
    version: str
    files: FileLinks
    fieldsets: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])

    @property
    def is_open(self) -> bool:
        """Whether the version is before 2025-10-27.

        Such versions inflect the keys of custom fields, take them next to other attributes, and include related objects
        by default.
        """
        return self.version < _CLOSED_SINCE

    def name(self, name: str) -> str:
        """Return the name of an attribute or relationship as the response spells it."""
        return inflect(name, self.inflection)

    def fieldset(self, type_: str) -> frozenset[str] | None:
        """Return the requested names of a type, as `wanted_name` spells them; None for all."""
        names = self.fieldsets.get(type_)
        if names is None and not self.is_open:
            names = self.fieldsets.get(type_.partition("/")[0])
        return None if names is None else frozenset(map(self.wanted_name, names))

    def wanted_name(self, name: str) -> str:
        """Return the form in which names of fieldsets are compared; since 2025-10-27, any spelling is allowed."""
        if name.startswith("fields."):
            return name
        return to_snake(name) if not self.is_open else name


def serialize_case(case: CaseRecord, look: Presentation) -> dict[str, Any]:
    """Return a case as the API shows it; a fieldset leaves out everything else, including relationships."""
    attributes: dict[str, Any] = dict(zip(_spelled(_ATTRIBUTES, look.inflection), _attributes_of(case), strict=True))
    attributes["tags"] = case.tags
    attributes["fields"] = _fields(case.fields, look)
    attributes["attachments"] = [_attachment(file, look) for file in case.attachments]
    wanted = look.fieldset("case")
    if wanted is None:
        names = _spelled(tuple(_RELATIONSHIPS), look.inflection)
        relationships = {name: {"data": refs(case)} for name, refs in zip(names, _RELATIONSHIPS.values(), strict=True)}
        return {"type": "case", "id": case.id, "attributes": attributes, "relationships": relationships}
    return {"type": "case", "id": case.id, "attributes": _sparse(attributes, wanted, look)}


def serialize_event(
    event: SimulatedEvent, look: Presentation, payload: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an event as the API shows it.

    Args:
        event: the event.
        look: the presentation.
        payload: the document of the case. Default: only the case.
    """
    told: Any = event.payload
    if event.case is not None:
        told = {"data": serialize_case(event.case, look)} if payload is None else payload
    attributes: dict[str, Any] = {"name": event.name, "payload": told, look.name("created_at"): event.created_at}
    if event.context:
        attributes["context"] = inflect_tree(event.context, look.inflection)
    wanted = look.fieldset("event")
    shown = attributes if wanted is None else _sparse(attributes, wanted, look)
    return {"type": "event", "id": event.id, "attributes": shown}


def serialize_resource(resource: Resource, look: Presentation) -> dict[str, Any]:
    """Return an included object, or a case template, as the API shows it."""
    attributes: dict[str, Any] = inflect_tree(resource.attributes, look.inflection)
    document: dict[str, Any] = {"type": resource.ref.type, "id": resource.ref.id}
    wanted = look.fieldset(resource.ref.type)
    if wanted is not None:
        return {**document, "attributes": _sparse(attributes, wanted, look)}
    document["attributes"] = attributes
    if resource.relationships:
        document["relationships"] = {look.name(name): value for name, value in resource.relationships.items()}
    return document


def check_include(paths: tuple[str, ...] | None) -> None:
    """Check that `include` names relationships of cases.

    Raises:
        AnsweredError: 400 for a path that is not a relationship or too deep.
    """
    for path in paths or ():
        names = path.split(".")
        if names[0] not in _RELATIONSHIPS or len(names) > _DEEPEST_INCLUDE:
            raise bad_request(f"include {path} is not supported")


def included(case: CaseRecord, paths: tuple[str, ...], store: CaseStore, look: Presentation) -> list[dict[str, Any]]:
    """Return the objects that `include` requests, each once; `check_include` has checked the paths."""
    found: dict[Ref, Resource] = {}
    for path in paths:
        for resource in _follow(case, path.split("."), store):
            found[resource.ref] = resource
    return [serialize_resource(resource, look) for resource in found.values()]


def links(path: str, page: Slice, size: int | None, echoed: Mapping[str, str]) -> dict[str, str | None]:
    """Return the `links` of a page: relative URLs with the cursor, or null at the ends."""

    def link(direction: str, cursor: str) -> str:
        parameters = {f"page[{direction}]": cursor}
        if size is not None:
            parameters["page[size]"] = str(size)
        pairs = {**parameters, **echoed}.items()
        return f"{path}?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)

    return {
        "prev": link("before", page.ids[0]) if page.ids and page.has_prev else None,
        "next": link("after", page.ids[-1]) if page.ids and page.has_next else None,
    }


def _fields(fields: Mapping[str, Any], look: Presentation) -> Mapping[str, Any]:
    if not look.is_open:
        return fields
    return {look.name(key): value for key, value in fields.items()}


def _attachment(file: StoredFile, look: Presentation) -> dict[str, Any]:
    return {"filename": file.filename, "url": look.files.url(file), look.name("byte_size"): file.byte_size}


def _sparse(attributes: Mapping[str, Any], wanted: frozenset[str], look: Presentation) -> dict[str, Any]:
    kept = {name: value for name, value in attributes.items() if look.wanted_name(name) in wanted}
    keys = {name.removeprefix("fields.") for name in wanted if name.startswith("fields.")}
    if keys and "fields" in attributes and "fields" not in kept:
        kept["fields"] = {key: value for key, value in attributes["fields"].items() if key in keys}
    return kept


def _follow(case: CaseRecord, path: list[str], store: CaseStore) -> Iterator[Resource]:
    for ref in _each(_RELATIONSHIPS[path[0]](case)):
        resource = store.resource(ref, case)
        if resource is None:
            continue
        yield resource
        if len(path) == _DEEPEST_INCLUDE:
            yield from _second_level(resource, path[1], case, store)


def _second_level(resource: Resource, name: str, case: CaseRecord, store: CaseStore) -> Iterator[Resource]:
    for ref in _each(resource.relationships.get(name, {}).get("data")):
        found = store.resource(ref, case)
        if found is not None:
            yield found


def _each(refs: Ref | tuple[Ref, ...] | None) -> tuple[Ref, ...]:
    if refs is None:
        return ()
    return (refs,) if isinstance(refs, Ref) else refs
