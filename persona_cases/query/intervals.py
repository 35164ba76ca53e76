"""What comparisons on one attribute say about each other: `x > 5` makes `x > 1` needless.

Only what holds under the API's logic is used. An attribute may have several values, any of which may match, so two
bounds of a number never contradict each other; moments of the known time attributes do, since a case has one of each.
Texts have no order here: how the API collates them is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from persona_cases.query.attributes import Kind, attribute_named
from persona_cases.query.nodes import Comparison, Node, Not
from persona_cases.query.values import instant, is_date

__all__ = ["axis_of", "contradictory_or_needless"]

# The attribute, and what its value is measured in: a date alone may be the midnight of another zone at the API.
Axis: TypeAlias = tuple[str, str]
# A number or a moment; of one axis, all are of one kind.
Point: TypeAlias = Any

_LOWER: Final = ("gt", "gte")
_UPPER: Final = ("lt", "lte")


class _Bound(NamedTuple):
    """A comparison with a point on an axis, as it stands in a conjunction: itself, or its complement."""

    node: Node
    operator: str
    point: Point
    negated: bool

    @property
    def tightness(self) -> tuple[Point, bool]:
        """Orders lower bounds from loose to tight, upper bounds from tight to loose."""
        return self.point, self.operator in {"gt", "lte"}

    def admits(self, point: Point) -> bool:
        """Whether the comparison, not its complement, holds for a value."""
        match self.operator:
            case "gt":
                return bool(point > self.point)
            case "gte":
                return bool(point >= self.point)
            case "lt":
                return bool(point < self.point)
            case "lte":
                return bool(point <= self.point)
            case _:
                return bool(point == self.point)


def contradictory_or_needless(parts: Iterable[Node], *, conjunctive: bool) -> set[Node] | None:
    """Find the comparisons of a junction that others imply.

    Args:
        parts: the parts of the junction; only comparisons and their complements count.
        conjunctive: whether all parts are to hold, rather than any of them.

    Returns:
        The parts to leave out; None if no case can match the conjunction, or every case the disjunction.
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
    """What a comparison can be related on to others; None if to no other."""
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
            # `a or b` is needless exactly where `not a and not b` is.
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
    """The bounds on one axis that are to hold together."""

    def __init__(self, bounds: list[_Bound], *, single_valued: bool) -> None:
        self._single_valued = single_valued
        held = [bound for bound in bounds if not bound.negated]
        barred = [bound for bound in bounds if bound.negated]
        self._bounds = bounds
        self._equal = [bound for bound in held if bound.operator == "eq"]
        self._unequal = [bound for bound in barred if bound.operator == "eq"]
        self._lower = max(_of(held, _LOWER), key=_tightness, default=None)
        self._upper = min(_of(held, _UPPER), key=_tightness, default=None)
        # The complement of the loosest bound implies those of the others.
        self._barred_lower = min(_of(barred, _LOWER), key=_tightness, default=None)
        self._barred_upper = max(_of(barred, _UPPER), key=_tightness, default=None)

    def needless(self) -> set[Node] | None:
        if self._contradictory() or (self._single_valued and self._contradictory_for_one_value()):
            return None
        kept = [self._lower, self._upper, self._barred_lower, self._barred_upper, *self._equal, *self._unequal]
        implied = {id(bound) for bound in kept if bound is not None and self._implied_by_equality_or_bar(bound)}
        alive = {id(bound) for bound in kept if bound is not None} - implied
        return {bound.node for bound in self._bounds if id(bound) not in alive}

    def _implied_by_equality_or_bar(self, bound: _Bound) -> bool:
        if bound.operator == "eq":
            return bound.negated and any(bar.admits(bound.point) for bar in self._bars())
        return not bound.negated and any(bound.admits(equal.point) for equal in self._equal)

    def _contradictory(self) -> bool:
        for bar in (*self._bars(), *self._unequal):
            if any(bar.admits(equal.point) for equal in self._equal):
                return True
        lower, upper = self._lower, self._upper
        barred_lower, barred_upper = self._barred_lower, self._barred_upper
        if lower is not None and barred_lower is not None and _tightness(lower) >= _tightness(barred_lower):
            return True
        return upper is not None and barred_upper is not None and _tightness(upper) <= _tightness(barred_upper)

    def _contradictory_for_one_value(self) -> bool:
        lower, upper = self._lower, self._upper
        if any(equal.point != self._equal[0].point for equal in self._equal):
            return True
        bounds = [bound for bound in (lower, upper) if bound is not None]
        if any(not bound.admits(equal.point) for equal in self._equal for bound in bounds):
            return True
        if lower is None or upper is None:
            return False
        apart = lower.point > upper.point
        return bool(
            apart or (lower.point == upper.point and not (lower.admits(upper.point) and upper.admits(lower.point)))
        )

    def _bars(self) -> list[_Bound]:
        return [bar for bar in (self._barred_lower, self._barred_upper) if bar is not None]


def _of(bounds: list[_Bound], operators: tuple[str, str]) -> list[_Bound]:
    return [bound for bound in bounds if bound.operator in operators]


def _tightness(bound: _Bound) -> tuple[Point, bool]:
    return bound.tightness
