"""Nesting: splits a node with more clauses than the API allows into nodes of its own kind."""

from __future__ import annotations

import attrs

from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, fold_nodes
from persona_cases.query.planner.search_limits import SearchLimits

__all__ = ["nested"]


def nested(predicate: Predicate, limits: SearchLimits) -> Predicate | None:
    """Return the expression with its too wide nodes nested in as few levels as possible; None if it does not fit."""
    node, depth = fold_nodes(predicate, _Nesting(limits).combine)
    return node if depth <= limits.max_depth else None


@attrs.frozen
class _Nesting:
    limits: SearchLimits

    def combine(self, node: Node, parts: list[tuple[Node, int]]) -> tuple[Node, int]:
        match node:
            case Comparison():
                return node, 0
            case Not():
                part, depth = parts[0]
                free = isinstance(part, Comparison) and not self.limits.count_negated_leaf
                return Not(part), depth + (not free)
            case AllOf() | AnyOf():
                return self._narrowed(type(node), parts)

    def _narrowed(self, kind: type[AllOf | AnyOf], parts: list[tuple[Node, int]]) -> tuple[Node, int]:
        """Gather the shallowest parts in nodes of their own until all fit."""
        width = self.limits.max_clauses
        level = min((depth for _, depth in parts), default=0)
        while len(parts) > max(width, 1):
            low = [node for node, depth in parts if depth <= level]
            chunks = [low[start : start + width] for start in range(0, len(low), width)]
            gathered = [(kind(chunk) if len(chunk) > 1 else chunk[0], level + (len(chunk) > 1)) for chunk in chunks]
            parts = [*gathered, *((node, depth) for node, depth in parts if depth > level)]
            level += 1
            if width == 1 or level > self.limits.max_depth:
                return kind([node for node, _ in parts]), self.limits.max_depth + 1
        return kind([node for node, _ in parts]), 1 + max((depth for _, depth in parts), default=0)
