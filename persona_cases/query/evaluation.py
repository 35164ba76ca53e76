"""The API's logic: whether an expression matches the attribute values that a lookup returns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from persona_cases.query.attributes import Kind, attribute_named
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, fold_nodes
from persona_cases.query.values import instant
from persona_cases.surface import publish

__all__ = ["COMPARE", "Lookup", "decider", "evaluate", "evaluator", "test_of"]

T = TypeVar("T")

Lookup: TypeAlias = Callable[[str], object]

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def evaluate(predicate: Predicate, lookup: Lookup) -> bool:
    """Decide whether an expression matches the values that a lookup returns.

    The logic has two values. A comparison with a missing or null attribute is false, and `~` is the plain complement.
    So `~x.gt(1)` is true where `x` is missing, and `x.lte(1)` is not. A comparison is true only

    * between two numbers (a bool is not one), compared by their value: `1` equals `1.0`;
    * between two strings, compared as times if both are ISO dates or date-times with a zone (a date is its UTC
      midnight). Custom fields compare other strings character by character. Known time attributes compare only as
      times, other known attributes only as strings;
    * between two bools, for equality.

    Args:
        predicate: the expression.
        lookup: returns the value of an attribute by the API's name: a scalar, None if it is missing or null, or
            a tuple of scalars of which any may match. It is called once per comparison.

    Returns:
        Whether the expression matches.
    """
    return evaluator(predicate)(lookup)


def evaluator(predicate: Predicate) -> Callable[[Lookup], bool]:
    """Prepare an expression to evaluate on many cases; see `evaluate`.

    The values of its comparisons are parsed once, not once per case.
    """

    def prepare(leaf: Comparison) -> Callable[[Lookup], bool]:
        test, attribute = test_of(leaf), leaf.attribute
        return lambda lookup: test(lookup(attribute))

    return decider(predicate, prepare)


def decider(predicate: Predicate, prepare: Callable[[Comparison], Callable[[T], bool]]) -> Callable[[T], bool]:
    """Prepare an expression, with `prepare` turning each comparison into its test.

    Returns:
        A function that evaluates the expression: all comparisons, left to right, at any depth.
    """
    steps: list[Callable[[T], bool] | _Branch] = []

    def note(node: Node, _: list[None]) -> None:
        steps.append(prepare(node) if isinstance(node, Comparison) else _branch(node))

    fold_nodes(predicate, note)
    if len(steps) == 1 and not isinstance(only := steps[0], _Branch):
        return only

    def decide(subject: T) -> bool:
        results: list[bool] = []
        for step in steps:
            if isinstance(step, _Branch):
                first = len(results) - step.arity
                results[first:] = (step.combine(results[first:]),)
            else:
                results.append(step(subject))
        return results.pop()

    return decide


_Test: TypeAlias = Callable[[object], bool]


class _Branch(NamedTuple):
    arity: int
    combine: Callable[[list[bool]], bool]


def _branch(node: Not | AllOf | AnyOf) -> _Branch:
    match node:
        case Not():
            return _Branch(1, _none)
        case AllOf():
            return _Branch(len(node.parts), all)
        case AnyOf():
            return _Branch(len(node.parts), any)


def _none(parts: list[bool]) -> bool:
    return not any(parts)


def test_of(leaf: Comparison) -> _Test:
    """Return the test for one comparison: whether it is true for a value, or for any value of a tuple."""
    test_one = _test_of_one(leaf)

    def test(shown: object) -> bool:
        if isinstance(shown, tuple):
            return any(map(test_one, cast("tuple[object, ...]", shown)))
        return test_one(shown)

    return test


def _test_of_one(leaf: Comparison) -> _Test:
    value, compare = leaf.value, COMPARE[leaf.operator]
    match value:
        case bool():
            return lambda shown: leaf.operator == "eq" and isinstance(shown, bool) and shown == value
        case int() | float():
            return lambda shown: (
                isinstance(shown, int | float) and not isinstance(shown, bool) and compare(shown, value)
            )
        case str():
            return _test_of_text(attribute_named(leaf.attribute).kind, value, compare)


def _test_of_text(kind: Kind, value: str, compare: Callable[[Any, Any], bool]) -> _Test:
    moment = None if kind is Kind.TEXT else instant(value)

    def test(shown: object) -> bool:
        if not isinstance(shown, str):
            return False
        if moment is not None and (other := instant(shown)) is not None:
            return compare(other, moment)
        return kind is not Kind.TIME and compare(shown, value)

    return test


publish("persona_cases.query", evaluate)
