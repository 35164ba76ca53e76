"""What an expression means: the API's logic, on whatever shows the values of attributes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from persona_cases.query.attributes import Kind, attribute_named
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, fold_nodes
from persona_cases.query.values import instant

__all__ = ["Lookup", "evaluate", "holds", "truth"]

Lookup: TypeAlias = Callable[[str], object]

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def evaluate(predicate: Predicate, lookup: Lookup) -> bool:
    """Decide whether an expression holds.

    The logic has two values. A comparison with a missing or null attribute is false, `~` is the plain
    complement: so `~x.gt(1)` holds where `x` is missing, and `x.lte(1)` does not. A comparison is true only

    * between two numbers (a bool is none), compared by their value: `1` equals `1.0`;
    * between two texts, compared as moments if both are ISO dates or date-times with a zone (a date is its
      UTC midnight). Custom fields compare other texts character by character. The known times compare as
      moments only, the other known attributes as texts only;
    * between two bools, for equality.

    Args:
        predicate: the expression.
        lookup: gives the value of an attribute by the API's name: a scalar, None if it is missing or null, or
            a tuple of scalars of which any may match. It is asked once for each comparison.
    """
    return truth(predicate, lambda leaf: holds(leaf, lookup(leaf.attribute)))


def truth(predicate: Predicate, leaf_truth: Callable[[Comparison], bool]) -> bool:
    """Decide an expression from the truth of its comparisons; all of them are asked for."""

    def combine(node: Node, parts: list[bool]) -> bool:
        match node:
            case Comparison():
                return leaf_truth(node)
            case Not():
                return not parts[0]
            case AllOf():
                return all(parts)
            case AnyOf():
                return any(parts)

    return fold_nodes(predicate, combine)


def holds(leaf: Comparison, shown: object) -> bool:
    """Whether one comparison holds for the value, or for any of the tuple of values, that a case shows."""
    values = cast("tuple[object, ...]", shown) if isinstance(shown, tuple) else (shown,)
    return any(_holds_for(leaf, value) for value in values)


def _holds_for(leaf: Comparison, shown: object) -> bool:
    sides = _comparable(leaf, shown)
    return sides is not None and _COMPARE[leaf.operator](*sides)


def _comparable(leaf: Comparison, shown: object) -> tuple[Any, Any] | None:
    value = leaf.value
    if isinstance(shown, bool) or isinstance(value, bool):
        same_type = isinstance(shown, bool) and isinstance(value, bool)
        return (shown, value) if same_type and leaf.operator == "eq" else None
    if isinstance(shown, int | float) and isinstance(value, int | float):
        return shown, value
    if not isinstance(shown, str) or not isinstance(value, str):
        return None
    match attribute_named(leaf.attribute).kind:
        case Kind.TIME:
            return _moments(shown, value)
        case Kind.ANY:
            return _moments(shown, value) or (shown, value)
        case Kind.TEXT:
            return shown, value


def _moments(shown: str, value: str) -> tuple[Any, Any] | None:
    left, right = instant(shown), instant(value)
    return None if left is None or right is None else (left, right)
