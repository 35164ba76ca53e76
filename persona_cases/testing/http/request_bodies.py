"""The bodies of requests that change something, read as strictly as their closed schemas demand.

Names may be written in kebab, snake or camel case; see https://docs.withpersona.com/api-key-inflection. What does not
fit is a 400 that names the place as the vendor does (`meta.object_ids must be an array`).
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
    """A JSON value of a body, and where it was found.

    Attributes:
        value: the value as decoded.
        place: the place in words, such as `meta.object_ids`.
        pointer: the place as a JSON pointer, such as `/meta/object-ids`.
    """

    value: Any
    place: str = ""
    pointer: str = ""

    def members(self, *names: str) -> Members:
        """The members of an object that may have these and no others; names are given in snake case.

        Raises:
            AnsweredError: 400 if it is no object, or has others.
        """
        members, others = self.members_and_others(*names)
        for other in others.values():
            raise bad_request(f"{other.place} is not allowed")
        return members

    def members_and_others(self, *names: str) -> tuple[Members, dict[str, Node]]:
        """The members with these names, and all others by their keys as sent.

        Raises:
            AnsweredError: 400 if it is no object, or has a member in two spellings.
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
        """A value at the place of a member, whose name is given in snake case."""
        return Node(value, self._below(name), f"{self.pointer}/{inflect(name, 'kebab')}")

    def entries(self) -> dict[str, Node]:
        """The members of an object whose keys are data: they are not respelt.

        Raises:
            AnsweredError: 400 if it is no object.
        """
        if not is_object(self.value):
            raise bad_request(f"{self._name} must be an object")
        return {
            key: Node(value, self._below(key), f"{self.pointer}/{key.replace('~', '~0').replace('/', '~1')}")
            for key, value in self.value.items()
        }

    def items(self) -> list[Node]:
        """The items of an array.

        Raises:
            AnsweredError: 400 if it is none.
        """
        if not is_array(self.value):
            raise bad_request(f"{self._name} must be an array")
        return [Node(item, self._below(str(index)), f"{self.pointer}/{index}") for index, item in enumerate(self.value)]

    def text(self) -> str:
        """A string with something in it.

        Raises:
            AnsweredError: 400 if it is none.
        """
        if not isinstance(self.value, str):
            raise bad_request(f"{self._name} must be a string")
        if not self.value:
            raise bad_request(f"{self._name} must be filled")
        return self.value

    def texts(self) -> list[str]:
        """The items of an array of strings.

        Raises:
            AnsweredError: 400 if it is none.
        """
        return [item.text() for item in self.items()]

    def number(self) -> float:
        """A number.

        Raises:
            AnsweredError: 400 if it is none.
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
    """The known members of an object by their names in snake case; those that were not sent are not there."""

    _owner: Node
    _found: Mapping[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def need(self, name: str) -> Node:
        """A member that has to be there.

        Raises:
            AnsweredError: 400 if it is not.
        """
        if name not in self._found:
            raise bad_request(f"{self._owner.member(name).place} is missing")
        return self._found[name]

    def below(self, name: str) -> Node:
        """A member that is an empty object if it was not sent."""
        return self._found.get(name) or self._owner.member(name, {})
