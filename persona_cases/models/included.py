"""`Included`: the other objects of a response, found by their relationships."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import attrs

from persona_cases.errors import NotLoadedError
from persona_cases.models.decoding.jsontext import step
from persona_cases.models.decoding.key_inflection import Inflection
from persona_cases.models.objects import Resource, ResourceIdentifier, read_resource

__all__ = ["Included", "read_included"]

R = TypeVar("R", bound=Resource)


@attrs.frozen
class Included:
    """The objects that a response includes in addition to the case.

    Attributes:
        objects: all of them, in the order of the response.
    """

    objects: tuple[Resource, ...] = ()
    _by_identifier: dict[tuple[str, str], Resource] | None = attrs.field(init=False, repr=False, eq=False, default=None)

    def find(self, identifier: ResourceIdentifier, cls: type[R], include: str) -> R:
        """Return the object that a relationship points to.

        Args:
            identifier: the identifier in the relationship.
            cls: the class that the object must have.
            include: the name to include in the request to get it, for the message.

        Raises:
            NotLoadedError: if the response does not have it.
        """
        found = self._index().get((identifier.type, identifier.id))
        if isinstance(found, cls):
            return found
        raise NotLoadedError(
            f"{identifier.type} {identifier.id} is attached to the case, but not included in the response: "
            f"get the case with include=[{include!r}]"
        )

    def _index(self) -> dict[tuple[str, str], Resource]:
        # Built on demand: each unpickled case has its own copy of this object, and few cases use it.
        if self._by_identifier is None:
            index = {(each.type, each.id): each for each in self.objects}
            object.__setattr__(self, "_by_identifier", index)
            return index
        return self._by_identifier


def read_included(values: Iterable[object], spelling: Inflection, *, pointer: str = "/included") -> Included:
    """Read the `included` member of a response.

    Args:
        values: its items.
        spelling: how the response spells keys.
        pointer: its JSON pointer in the document, for errors.
    """
    return Included(
        tuple(
            read_resource(each, Resource, spelling=spelling, pointer=pointer + step(index))
            for index, each in enumerate(values)
        )
    )
