"""Predicates to the API's search JSON and back, and where their nodes stand in it, as JSON pointers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import attrs

from persona_cases.errors import QueryError
from persona_cases.query.attributes import require_name
from persona_cases.query.fold import fold
from persona_cases.query.nodes import OPERATORS, AllOf, AnyOf, Comparison, Node, Not, Operator, Predicate, fold_nodes
from persona_cases.query.values import to_scalar

__all__ = ["Place", "from_dict", "to_dict"]

_COMPARISON_KEYS: Final = ("attribute", "operator", "value")
_BOOLEAN_KEYS: Final = ("and", "or", "not")
_LONGEST_SHOWN: Final = 120
_SHAPE: Final = 'exactly one of "and", "or", "not", or the three keys "attribute", "operator", "value"'

T = TypeVar("T")


def to_dict(predicate: Predicate) -> dict[str, Any]:
    """The search JSON of a predicate, node by node."""
    return fold_nodes(predicate, _node_to_dict)


def from_dict(obj: object) -> Predicate:
    """The predicate that some search JSON stands for, node by node.

    Raises:
        QueryError: the JSON is not of the documented shape.
    """
    return fold(_Place(obj), _places_below, _place_to_node)


def _node_to_dict(node: Node, parts: list[dict[str, Any]]) -> dict[str, Any]:
    match node:
        case Comparison(attribute, operator, value):
            return {"attribute": attribute, "operator": operator, "value": value}
        case Not():
            return {"not": parts[0]}
        case AllOf() | AnyOf():
            return {node.word: parts}


@attrs.frozen(eq=False)
class _Place:
    """A value inside the JSON, which knows the way to itself: pointers are only written out for errors."""

    value: object
    above: _Place | None = None
    steps: tuple[str, ...] = ()

    def below(self, *steps: str, value: object) -> _Place:
        return _Place(value, self, steps)

    def pointer(self) -> str:
        steps: list[str] = []
        place: _Place | None = self
        while place is not None:
            steps.extend(reversed(place.steps))
            place = place.above
        return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in reversed(steps))

    def error(self, reason: str, *steps: str) -> QueryError:
        pointer = self.below(*steps, value=None).pointer()
        shown = pointer if len(pointer) <= _LONGEST_SHOWN else f"...{pointer[-_LONGEST_SHOWN:]}"
        return QueryError(f"{reason} at {shown or 'the root'}", pointer=pointer)

    def checked(self, step: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except QueryError as error:
            raise self.error(str(error), step) from None


def _object(value: object) -> Mapping[object, object] | None:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None


def _boolean(value: object) -> tuple[str, object] | None:
    """The word of a boolean node and what stands behind it."""
    members = _object(value)
    if members is None or len(members) != 1:
        return None
    ((word, below),) = members.items()
    return (word, below) if isinstance(word, str) and word in _BOOLEAN_KEYS else None


def _places_below(place: _Place) -> Sequence[_Place]:
    # What is malformed has nothing below it; `_place_to_node` comes by in reading order and refuses it.
    match _boolean(place.value):
        case ("not", part):
            return (place.below("not", value=part),)
        case (word, clauses) if isinstance(clauses, list):
            items = enumerate(cast("list[object]", clauses))
            return [place.below(word, str(index), value=clause) for index, clause in items]
        case _:
            return ()


def _place_to_node(place: _Place, parts: list[Node]) -> Node:
    match _boolean(place.value):
        case None:
            return _read_comparison(place)
        case ("not", _):
            return Not(parts[0])
        case (word, list()):
            return AllOf(parts) if word == AllOf.word else AnyOf(parts)
        case (word, _):
            raise place.error("the clauses must be a JSON array", word)


def _read_comparison(place: _Place) -> Comparison:
    members = _members(place)
    attribute, operator, value = members["attribute"], members["operator"], members["value"]
    if operator not in OPERATORS:
        raise place.error(f"the operator must be one of {', '.join(OPERATORS)}", "operator")
    if not isinstance(value, str | int | float):
        raise place.error("the value must be a text, a number, true or false", "value")
    name = place.checked("attribute", lambda: require_name(attribute))
    scalar = place.checked("value", lambda: to_scalar(value))
    return Comparison(name, cast("Operator", operator), scalar)


def _members(place: _Place) -> Mapping[str, object]:
    members = _object(place.value)
    if members is None:
        raise place.error("a search node must be a JSON object")
    unknown = [key for key in members if key not in (*_BOOLEAN_KEYS, *_COMPARISON_KEYS)]
    if unknown and isinstance(unknown[0], str):
        raise place.error(f"unknown key; a search node has {_SHAPE}", unknown[0])
    if unknown or any(key not in members for key in _COMPARISON_KEYS) or len(members) > len(_COMPARISON_KEYS):
        raise place.error(f"a search node has {_SHAPE}")
    return cast("Mapping[str, object]", members)


@attrs.frozen(eq=False)
class Place:
    """A node, which knows the way to itself: pointers are only written out for errors.

    Attributes:
        node: what stands there.
        negated: whether an odd number of negations stands above it.
        depth: how many boolean nodes stand above it.
    """

    node: Node
    negated: bool = False
    depth: int = 0
    _above: Place | None = None
    _step: str = ""

    @property
    def pointer(self) -> str:
        """The JSON pointer; empty for the root."""
        steps: list[str] = []
        place: Place | None = self
        while place is not None:
            steps.append(place._step)
            place = place._above
        return "".join(reversed(steps))

    def below(self) -> Sequence[Place]:
        """The places of the parts, in the order in which they were written."""
        match self.node:
            case Comparison():
                return ()
            case Not():
                return (self._part(self.node.part, "/not", negated=not self.negated),)
            case AllOf() | AnyOf():
                word = self.node.word
                return [
                    self._part(part, f"/{word}/{i}", negated=self.negated) for i, part in enumerate(self.node.parts)
                ]

    def _part(self, node: Node, step: str, *, negated: bool) -> Place:
        return Place(node, negated, self.depth + 1, self, step)
