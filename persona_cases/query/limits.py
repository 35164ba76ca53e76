"""What one search request can carry, as a value."""

from __future__ import annotations

from typing import Any

import attrs

from persona_cases.errors import InvalidArgumentError, QueryTooComplexError
from persona_cases.query.nodes import Comparison, Node, Predicate, fold_nodes

__all__ = ["SearchLimits"]


def _positive(_limits: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidArgumentError(f"{attribute.name} must be an integer of at least 1")


@attrs.frozen
class SearchLimits:
    """How deep and how wide an expression may be for one search request.

    Attributes:
        max_depth: levels of `and`, `or` and `not`; a comparison has none, `not(comparison)` one.
        max_clauses: clauses of one `and` or `or`; each has at least one.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """

    max_depth: int = attrs.field(default=2, validator=_positive)
    max_clauses: int = attrs.field(default=20, validator=_positive)

    def check(self, predicate: Predicate) -> None:
        """Refuse an expression that one request can not carry.

        Raises:
            QueryTooComplexError: it nests too deep, or one of its nodes has too many clauses or none.
        """
        problems: list[str] = []
        depth = predicate.depth
        widest, narrowest = fold_nodes(predicate, _extremes)
        if depth > self.max_depth:
            problems.append(f"it nests {depth} levels of and/or/not where the API allows {self.max_depth}")
        if widest > self.max_clauses:
            problems.append(f"one and/or has {widest} clauses where the API allows {self.max_clauses}")
        if narrowest < 1:
            problems.append("one and/or has no clause where the API needs at least 1 (simplify() removes such nodes)")
        if problems:
            raise QueryTooComplexError(f"the expression does not fit one search: {'; '.join(problems)}")


def _extremes(node: Node, below: list[tuple[int, int]]) -> tuple[int, int]:
    """The most and the fewest clauses that any node of the tree has; a comparison counts as one."""
    own = 1 if isinstance(node, Comparison) else len(node.parts)
    return max([own, *(most for most, _ in below)]), min([own, *(fewest for _, fewest in below)])
