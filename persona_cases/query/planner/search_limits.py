"""`SearchLimits`: the maximum size of the expression of one search request."""

from __future__ import annotations

from typing import Any

import attrs

from persona_cases.errors import QueryTooComplexError
from persona_cases.query.nodes import Comparison, Node, Not, Predicate, as_node, fold_nodes
from persona_cases.query.values import whole_number
from persona_cases.surface import publish

__all__ = ["SearchLimits"]


def _positive(_limits: object, attribute: attrs.Attribute[Any], value: object) -> None:
    whole_number(attribute.name, value, 1)


@attrs.frozen
class SearchLimits:
    """The maximum depth and width of the expression of one search request.

    Attributes:
        max_depth: maximum number of levels of `and`, `or` and `not`; a comparison has none. Default: 2.
        max_clauses: maximum number of clauses per `and` or `or`; the minimum is 1. Default: 20.
        count_negated_leaf: whether `not` directly before a comparison counts as a level. The API does not document it;
            counting is the strict reading and the default.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """

    max_depth: int = attrs.field(default=2, validator=_positive)
    max_clauses: int = attrs.field(default=20, validator=_positive)
    count_negated_leaf: bool = attrs.field(default=True, validator=attrs.validators.instance_of(bool), kw_only=True)

    def admit(self, predicate: Predicate) -> bool:
        """Return whether the expression fits one request.

        Args:
            predicate: the expression.

        Returns:
            True if it is within the limits.
        """
        level: list[Node] = [as_node(predicate)]
        for _ in range(self.max_depth + 1):
            below: list[Node] = []
            for node in level:
                if isinstance(node, Comparison) or self._is_free(node):
                    continue
                parts = node.parts
                if not 0 < len(parts) <= self.max_clauses:
                    return False
                below.extend(parts)
            if not below:
                return True
            level = below
        return False

    def check(self, predicate: Predicate) -> None:
        """Raise if an expression does not fit one request.

        Args:
            predicate: the expression.

        Raises:
            QueryTooComplexError: if it is nested too deeply, or one of its nodes has too many clauses or none.
        """
        problems: list[str] = []
        depth = self.depth(predicate)
        widest, narrowest = fold_nodes(predicate, _extremes)
        if depth > self.max_depth:
            problems.append(f"it nests {depth} levels of and/or/not but the API allows {self.max_depth}")
        if widest > self.max_clauses:
            problems.append(f"one and/or has {widest} clauses but the API allows {self.max_clauses}")
        if narrowest < 1:
            problems.append("one and/or has no clause but the API needs at least 1: simplify() removes such nodes")
        if problems:
            raise QueryTooComplexError(f"the expression does not fit one search: {'; '.join(problems)}")

    def depth(self, predicate: Predicate) -> int:
        """Return the number of levels of boolean nodes, as these limits count them.

        Args:
            predicate: the expression.

        Returns:
            The depth; 0 for a comparison.
        """
        return fold_nodes(predicate, self._depth)

    def _depth(self, node: Node, depths: list[int]) -> int:
        return 0 if isinstance(node, Comparison) or self._is_free(node) else 1 + max(depths, default=0)

    def _is_free(self, node: Node) -> bool:
        return not self.count_negated_leaf and isinstance(node, Not) and isinstance(node.part, Comparison)


def _extremes(node: Node, below: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the most and the fewest clauses of any node of the tree; a comparison counts as one."""
    own = 1 if isinstance(node, Comparison) else len(node.parts)
    return max([own, *(most for most, _ in below)]), min([own, *(fewest for _, fewest in below)])


publish("persona_cases.query", SearchLimits)
