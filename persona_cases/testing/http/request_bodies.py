"""The bodies of writing requests, parsed as strictly as their closed schemas require.

Names may be in kebab, snake or camel case; see https://docs.withpersona.com/api-key-inflection. Anything that does not
fit is a 400 that names the place like the vendor does (`meta.object_ids must be an array`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from persona_cases.testing.http.inflection import inflect, to_snake
from persona_cases.testing.http.json_types import is_array, is_object
from persona_cases.testing.http.problems import bad_request

__all__ = ["Members", "Node"]


@attrs.frozen
class Node:
    """A JSON value of a body, and its place.

    Attributes:
        value: the value as decoded.
        place: the place in words, such as `meta.object_ids`.
        pointer: the place as a JSON pointer, such as `/meta/object-ids`.
    """

    value: Any
    place: str = ""
    pointer: str = ""

    def members(self, *names: str) -> Members:
        """Return the members of an object that may have only these; names are in snake case.

        Raises:
            AnsweredError: 400 if it is not an object, or has other members.
        """
        members, others = self.members_and_others(*names)
        for other in others.values():
            raise bad_request(f"{other.place} is not allowed")
        return members

    def members_and_others(self, *names: str) -> tuple[Members, dict[str, Node]]:
        """Return the members with these names, and all others by their keys as sent.

        Raises:
            AnsweredError: 400 if it is not an object, or has a member in two spellings.
        """
        found: dict[str, Node] = {}
        others: dict[str, Node] = {}
        for key, node in self.entries().items():
            name = to_snake(key)
            if name not in names:
                others[key] = node
            elif name in found:
                raise bad_request(f"{found[name].place} is given more than once")
            else:
                found[name] = self.member(name, node.value)
        return Members(self, found), others

    def member(self, name: str, value: Any = None) -> Node:
        """Return a node for a member, whose name is in snake case."""
        return Node(value, self._below(name), f"{self.pointer}/{inflect(name, 'kebab')}")

    def entries(self) -> dict[str, Node]:
        """Return the members of an object whose keys are data and keep their spelling.

        Raises:
            AnsweredError: 400 if it is not an object.
        """
        if not is_object(self.value):
            raise bad_request(f"{self._name} must be an object")
        return {
            key: Node(value, self._below(key), f"{self.pointer}/{key.replace('~', '~0').replace('/', '~1')}")
            for key, value in self.value.items()
        }

    def items(self) -> list[Node]:
        """Return the items of an array.

        Raises:
            AnsweredError: 400 if it is not an array.
        """
        if not is_array(self.value):
            raise bad_request(f"{self._name} must be an array")
        return [Node(item, self._below(str(index)), f"{self.pointer}/{index}") for index, item in enumerate(self.value)]

    def text(self) -> str:
        """Return a non-empty string.

        Raises:
            AnsweredError: 400 if it is not one.
        """
        if not isinstance(self.value, str):
            raise bad_request(f"{self._name} must be a string")
        if not self.value:
            raise bad_request(f"{self._name} must be filled")
        return self.value

    def texts(self) -> list[str]:
        """Return the items of an array of strings.

        Raises:
            AnsweredError: 400 if it is not one.
        """
        return [item.text() for item in self.items()]

    def number(self) -> float:
        """Return a number.

        Raises:
            AnsweredError: 400 if it is not one.
        """
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise bad_request(f"{self._name} must be a number")
        return self.value

    @property
    def _name(self) -> str:
        return self.place or "body"

    def _below(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


@attrs.frozen
class Members(Mapping[str, Node]):
    """The known members of an object by name in snake case, without members that were not sent."""

    _owner: Node
    _found: Mapping[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def need(self, name: str) -> Node:
        """Return a required member.

        Raises:
            AnsweredError: 400 if it is missing.
        """
        if name not in self._found:
            raise bad_request(f"{self._owner.member(name).place} is missing")
        return self._found[name]

    def below(self, name: str) -> Node:
        """Return a member, or an empty object if it was not sent."""
        return self._found.get(name) or self._owner.member(name, {})
