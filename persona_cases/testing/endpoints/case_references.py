"""The references in the body of a write: templates, queues, people, objects, tags. Each is found, or raises."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from persona_cases.testing.endpoints.attached_objects import LARGEST_NUMBER_OF_OBJECTS
from persona_cases.testing.http.problems import not_found, not_unique, unprocessable
from persona_cases.testing.http.request_bodies import Node
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import Ref, Template, User, timestamp

__all__ = ["deadline", "existing_tag", "find_queue", "find_template", "find_user", "new_objects", "tags_to_have"]

_LONGEST_SLA = 7_776_000


def find_template(node: Node, store: CaseStore) -> Template:
    """Return the template with the given id.

    Raises:
        AnsweredError: 404 if there is none.
    """
    template = store.templates.get(node.text())
    if template is None:
        raise not_found(node.place)
    return template


def find_queue(node: Node, store: CaseStore) -> str:
    """Return the id of an existing queue of any template.

    Raises:
        AnsweredError: 404 if there is none with that id.
    """
    queue_id = node.text()
    if queue_id not in store.queues:
        raise not_found(node.place)
    return queue_id


def find_user(node: Node, store: CaseStore) -> User:
    """Return the person with the given email address.

    Raises:
        AnsweredError: 404 if there is none.
    """
    user = store.users.get(node.text())
    if user is None:
        raise not_found(node.place)
    return user


def deadline(node: Node, now: datetime) -> str | None:
    """Return when an SLA of the given seconds expires; None for null.

    Raises:
        AnsweredError: 400 if it is not a number; 422 if it is not from 1 second to 90 days.
    """
    if node.value is None:
        return None
    seconds = node.number()
    if not 1 <= seconds <= _LONGEST_SLA:
        raise unprocessable(f"SLA must be between 1 and {_LONGEST_SLA} seconds", node.pointer)
    return timestamp(now + timedelta(seconds=seconds))


def new_objects(node: Node, store: CaseStore, attached: Collection[Ref]) -> list[Ref]:
    """Return the objects to attach to a case.

    Args:
        node: their ids.
        store: the store of objects.
        attached: the objects that are already attached.

    Raises:
        AnsweredError: 404 if there is no such object; 409 if one is already attached; 422 if there are too many.
    """
    taken = {ref.id for ref in attached}
    found: list[Ref] = []
    for item in node.items():
        object_ = store.object(item.text())
        if object_ is None:
            raise not_found(item.place)
        if object_.id in taken:
            raise not_unique(f"{item.place} is attached to the case already")
        taken.add(object_.id)
        found.append(object_)
    if len(taken) > LARGEST_NUMBER_OF_OBJECTS:
        raise unprocessable(f"A case can have at most {LARGEST_NUMBER_OF_OBJECTS} objects", node.pointer)
    return found


def existing_tag(node: Node, store: CaseStore) -> str:
    """Return the name of the tag with the given id.

    Raises:
        AnsweredError: 404 if there is none.
    """
    name = store.tags.name(node.text())
    if name is None:
        raise not_found(node.place)
    return name


def tags_to_have(names: Iterable[str], node: Node, store: CaseStore) -> tuple[str, ...]:
    """Return the tags of a case, each once; new tags are created when the case is stored.

    Raises:
        AnsweredError: 422 if the organisation would have too many tags.
    """
    tags = tuple(dict.fromkeys(names))
    if not store.tags.have_room_for(tags):
        raise unprocessable(f"An organization can have at most {store.tags.cap} tags", node.pointer)
    return tags
