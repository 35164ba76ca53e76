"""How comparisons on one attribute imply or exclude each other: `x > 5` makes `x > 1` redundant.

Only implications that hold under the API's logic are used. An attribute may have several values, any of which may
match, so two bounds on a number never contradict each other. Bounds on a known time attribute do, because a case has
only one such time. Strings have no order here, because the API does not document how it collates them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from persona_cases.query.attributes import Kind, attribute_named
from persona_cases.query.evaluation import COMPARE
from persona_cases.query.nodes import Comparison, Node, Not
from persona_cases.query.values import instant, is_date

__all__ = ["axis_of", "contradictory_or_needless"]

# The attribute, and the unit of its values: the API may read a bare date as midnight in another zone.
Axis: TypeAlias = tuple[str, str]
# A number or a time; all points of one axis are of one kind.
Point: TypeAlias = Any

_LOWER: Final = ("gt", "gte")
_UPPER: Final = ("lt", "lte")


class _Bound(NamedTuple):
    """A comparison with a point on an axis, or its complement, in a conjunction."""

    node: Node
    operator: str
    point: Point
    negated: bool

    def admits(self, point: Point) -> bool:
        """Return whether the comparison, not its complement, holds for a value."""
        return COMPARE[self.operator](point, self.point)


def contradictory_or_needless(parts: Iterable[Node], *, conjunctive: bool) -> set[Node] | None:
    """Find the redundant parts of a junction. Only comparisons and their complements are examined.

    Args:
        parts: the parts of the junction.
        conjunctive: whether all parts must hold, rather than any of them.

    Returns:
        The parts to drop; None if no case can match the conjunction, or every case matches the disjunction.
    """
    needless: set[Node] = set()
    for (_, unit), bounds in _by_axis(parts, conjunctive=conjunctive).items():
        if len(bounds) == 1:
            continue
        found = _Conjunction(bounds, single_valued=unit in {"date", "moment"}).needless()
        if found is None:
            return None
        needless |= found
    return needless


def axis_of(leaf: Comparison) -> Axis | None:
    """Return the axis on which a comparison can imply or exclude others; None if there is none."""
    located = _located(leaf)
    return None if located is None else (leaf.attribute, located[0])


def _by_axis(parts: Iterable[Node], *, conjunctive: bool) -> dict[Axis, list[_Bound]]:
    axes: dict[Axis, list[_Bound]] = defaultdict(list)
    for part in parts:
        leaf, negated = (part.part, True) if isinstance(part, Not) else (part, False)
        if not isinstance(leaf, Comparison):
            continue
        located = _located(leaf)
        if located is not None:
            unit, point = located
            # A part of `a or b` is redundant exactly if its complement in `not a and not b` is.
            bound = _Bound(part, leaf.operator, point, negated is conjunctive)
            axes[leaf.attribute, unit].append(bound)
    return axes


def _located(leaf: Comparison) -> tuple[str, Point] | None:
    value = leaf.value
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return "number", value
    if attribute_named(leaf.attribute).kind is not Kind.TIME:
        return None
    moment = instant(value)
    return None if moment is None else ("date" if is_date(value) else "moment", moment)


class _Conjunction:
    """Bounds on one axis that must all hold. At most one bound per direction decides."""

    def __init__(self, bounds: list[_Bound], *, single_valued: bool) -> None:
        held = [bound for bound in bounds if not bound.negated]
        barred = [bound for bound in bounds if bound.negated]
        self._bounds = bounds
        self._single_valued = single_valued
        self._equal = [bound for bound in held if bound.operator == "eq"]
        self._unequal = [bound for bound in barred if bound.operator == "eq"]
        self._lower = _sorted(held, _LOWER)[-1:]
        self._upper = _sorted(held, _UPPER)[:1]
        # The complement of the loosest bound implies those of the others.
        self._barred_lower = _sorted(barred, _LOWER)[:1]
        self._barred_upper = _sorted(barred, _UPPER)[-1:]

    def needless(self) -> set[Node] | None:
        if self._contradictory() or (self._single_valued and self._contradictory_for_one_value()):
            return None
        deciding = [*self._lower, *self._upper, *self._bars(), *self._equal, *self._unequal]
        kept = {id(bound) for bound in deciding if not self._implied_by_equality_or_bar(bound)}
        return {bound.node for bound in self._bounds if id(bound) not in kept}

    def _implied_by_equality_or_bar(self, bound: _Bound) -> bool:
        if bound.operator == "eq":
            return bound.negated and any(bar.admits(bound.point) for bar in self._bars())
        return not bound.negated and any(bound.admits(equal.point) for equal in self._equal)

    def _contradictory(self) -> bool:
        barring = (*self._bars(), *self._unequal)
        return (
            any(bar.admits(equal.point) for bar in barring for equal in self._equal)
            or any(_tightness(low) >= _tightness(bar) for low in self._lower for bar in self._barred_lower)
            or any(_tightness(high) <= _tightness(bar) for high in self._upper for bar in self._barred_upper)
        )

    def _contradictory_for_one_value(self) -> bool:
        held = (*self._equal, *self._lower, *self._upper)
        if any(not bound.admits(equal.point) for equal in self._equal for bound in held):
            return True
        pairs = ((low, high) for low in self._lower for high in self._upper)
        return any(not (low.admits(high.point) and high.admits(low.point)) for low, high in pairs)

    def _bars(self) -> list[_Bound]:
        return [*self._barred_lower, *self._barred_upper]


def _sorted(bounds: list[_Bound], operators: tuple[str, str]) -> list[_Bound]:
    return sorted((bound for bound in bounds if bound.operator in operators), key=_tightness)


def _tightness(bound: _Bound) -> tuple[Point, bool]:
    """Return a sort key that orders lower bounds from loose to tight, and upper bounds from tight to loose."""
    return bound.point, bound.operator in {"gt", "lte"}
