"""Conversion of predicates to the API's search JSON and back, and the JSON pointers of their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

from persona_cases.errors import QueryError
from persona_cases.query.attributes import require_name
from persona_cases.query.nodes import (
    OPERATORS,
    AllOf,
    AnyOf,
    Comparison,
    Node,
    Not,
    Operator,
    Predicate,
    as_node,
    fold,
    fold_nodes,
)
from persona_cases.query.values import to_scalar

__all__ = ["PlacedNode", "from_dict", "to_dict"]

_COMPARISON_KEYS: Final = ("attribute", "operator", "value")
_BOOLEAN_KEYS: Final = ("and", "or", "not")
_LONGEST_SHOWN: Final = 120
_SHAPE: Final = 'exactly one of "and", "or", "not", or the three keys "attribute", "operator", "value"'

T = TypeVar("T")


def to_dict(predicate: Predicate) -> dict[str, Any]:
    """Return the search JSON of a predicate, node by node."""
    return fold_nodes(predicate, _node_to_dict)


def from_dict(obj: object) -> Predicate:
    """Return the predicate that some search JSON stands for, node by node."""
    return fold(_PlacedJson(obj), _nodes_below, _to_node)


def _node_to_dict(node: Node, parts: list[dict[str, Any]]) -> dict[str, Any]:
    match node:
        case Comparison(attribute, operator, value):
            return {"attribute": attribute, "operator": operator, "value": value}
        case Not():
            return {"not": parts[0]}
        case AllOf() | AnyOf():
            return {node.word: parts}


class _PlacedJson(NamedTuple):
    """A value inside the JSON that knows its path. Pointers are only written for errors."""

    value: object
    above: _PlacedJson | None = None
    steps: tuple[str, ...] = ()

    def below(self, *steps: str, value: object) -> _PlacedJson:
        return _PlacedJson(value, self, steps)

    def error(self, reason: str, *steps: str) -> QueryError:
        pointer = _pointer_to(self.below(*steps, value=None))
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
    """Return the word of a boolean node and its member."""
    members = _object(value)
    if members is None or len(members) != 1:
        return None
    ((word, below),) = members.items()
    return (word, below) if isinstance(word, str) and word in _BOOLEAN_KEYS else None


def _nodes_below(placed: _PlacedJson) -> Sequence[_PlacedJson]:
    # A malformed value has nothing below it; `_to_node` raises for it when its turn comes.
    match _boolean(placed.value):
        case ("not", part):
            return (placed.below("not", value=part),)
        case (word, clauses) if isinstance(clauses, list):
            items = enumerate(cast("list[object]", clauses))
            return [placed.below(word, str(index), value=clause) for index, clause in items]
        case _:
            return ()


def _to_node(placed: _PlacedJson, parts: list[Node]) -> Node:
    match _boolean(placed.value):
        case None:
            return _read_comparison(placed)
        case ("not", _):
            return Not(parts[0])
        case (word, list()):
            return AllOf(parts) if word == AllOf.word else AnyOf(parts)
        case (word, _):
            raise placed.error("the clauses must be a JSON array", word)


def _read_comparison(placed: _PlacedJson) -> Comparison:
    members = _members(placed)
    attribute, operator, value = members["attribute"], members["operator"], members["value"]
    if operator not in OPERATORS:
        raise placed.error(f"the operator must be one of {', '.join(OPERATORS)}", "operator")
    if not isinstance(value, str | int | float):
        raise placed.error("the value must be a text, a number, true or false", "value")
    name = placed.checked("attribute", lambda: require_name(attribute))
    scalar = placed.checked("value", lambda: to_scalar(value))
    return Comparison(name, cast("Operator", operator), scalar)


def _members(placed: _PlacedJson) -> Mapping[str, object]:
    members = _object(placed.value)
    if members is None:
        raise placed.error("a search node must be a JSON object")
    unknown = [key for key in members if key not in (*_BOOLEAN_KEYS, *_COMPARISON_KEYS)]
    if unknown and isinstance(unknown[0], str):
        raise placed.error(f"unknown key; a search node has {_SHAPE}", unknown[0])
    if unknown or any(key not in members for key in _COMPARISON_KEYS) or len(members) > len(_COMPARISON_KEYS):
        raise placed.error(f"a search node has {_SHAPE}")
    return cast("Mapping[str, object]", members)


class PlacedNode(NamedTuple):
    """A node that knows its path. Pointers are only written for errors.

    Attributes:
        node: the node.
        negated: whether an odd number of negations is above it.
        depth: how many boolean nodes are above it.
        above: the node directly above it; None for the root.
        steps: the path from that node.
    """

    node: Node
    negated: bool = False
    depth: int = 0
    above: PlacedNode | None = None
    steps: tuple[str, ...] = ()

    @property
    def pointer(self) -> str:
        """The JSON pointer; empty for the root."""
        return _pointer_to(self)

    def below(self) -> Sequence[PlacedNode]:
        """The parts, in the order written."""
        match self.node:
            case Comparison():
                return ()
            case Not():
                return (PlacedNode(self.node.part, not self.negated, self.depth + 1, self, ("not",)),)
            case AllOf() | AnyOf():
                word, parts = self.node.word, enumerate(self.node.parts)
                return [PlacedNode(part, self.negated, self.depth + 1, self, (word, str(i))) for i, part in parts]


def placed_nodes(root: Predicate) -> Iterator[PlacedNode]:
    """Yield the nodes of an expression, each before its parts, left to right."""
    pending = [PlacedNode(as_node(root))]
    while pending:
        placed = pending.pop()
        yield placed
        pending.extend(reversed(placed.below()))


def _pointer_to(placed: PlacedNode | _PlacedJson | None) -> str:
    steps: list[str] = []
    while placed is not None:
        steps.extend(reversed(placed.steps))
        placed = placed.above
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in reversed(steps))
