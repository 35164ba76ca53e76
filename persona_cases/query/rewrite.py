"""Rewriting of expressions that never changes which cases match.

The API's logic has two values (a comparison with a missing attribute is false, `not` is the complement), so the laws of
Boolean algebra hold. But operators cannot be reversed: without the attribute both `x > 1` and `x <= 1` are false, so
`~(x > 1)` stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from persona_cases.query.intervals import contradictory_or_needless
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, as_node, fold

__all__ = ["simplify", "to_nnf"]


def simplify(predicate: Predicate) -> Predicate:
    """Flatten, and drop duplicates, double negations, constants and redundant parts, including redundant bounds."""
    return fold(as_node(predicate), _flat_parts, _simplified)


def to_nnf(predicate: Predicate) -> Predicate:
    """Move negations down to the comparisons by De Morgan's laws; the size stays linear."""
    return fold(_Signed(as_node(predicate), negated=False), _signed_parts, _unsigned)


def _flat_parts(node: Node) -> Sequence[Node]:
    """Return the parts, with nested nodes of the same kind replaced by their parts, at any depth."""
    if not isinstance(node, AllOf | AnyOf):
        return node.parts
    flat: list[Node] = []
    pending = list(reversed(node.parts))
    while pending:
        part = pending.pop()
        if type(part) is type(node):
            pending.extend(reversed(part.parts))
        else:
            flat.append(part)
    return flat


def _simplified(node: Node, parts: list[Node]) -> Node:
    match node:
        case Comparison():
            return node
        case Not():
            return _simplified_not(parts[0])
        case AllOf():
            return _simplified_junction(AllOf, AnyOf, parts)
        case AnyOf():
            return _simplified_junction(AnyOf, AllOf, parts)


def _simplified_not(part: Node) -> Node:
    match part:
        case Not(inner):
            return inner
        case AllOf() if not part.parts:
            return AnyOf()
        case AnyOf() if not part.parts:
            return AllOf()
        case _:
            return Not(part)


def _simplified_junction(kind: type[AllOf | AnyOf], dual: type[AllOf | AnyOf], parts: list[Node]) -> Node:
    while True:
        # Simplifying a part may expose a node of the same kind: `a & ~~(b & c)`.
        flat = (inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))
        distinct = dict.fromkeys(flat)
        if any(_settles(part, distinct, dual) for part in distinct):
            return dual()
        needless = contradictory_or_needless(distinct, conjunctive=kind is AllOf)
        if needless is None:
            return dual()
        inside = [part for part in distinct if isinstance(part, dual)]
        barred = {part.part for part in distinct if isinstance(part, Not)}
        changed: dict[Node, Node] = {part: _reduced(part, distinct, barred, dual) for part in inside}
        parts = [changed.get(part, part) for part in distinct if part not in needless]
        if all(changed[part] is part for part in inside):
            kept = [part for part in parts if not (isinstance(part, dual) and _is_implied(part, distinct))]
            return kept[0] if len(kept) == 1 else kind(kept)


def _settles(part: Node, siblings: dict[Node, None], dual: type[AllOf | AnyOf]) -> bool:
    """Return whether a part decides the whole: the other kind's constant, or the complement of a sibling."""
    if isinstance(part, Not):
        return part.part in siblings
    return isinstance(part, dual) and not part.parts


def _reduced(part: AllOf | AnyOf, siblings: dict[Node, None], barred: set[Node], dual: type[AllOf | AnyOf]) -> Node:
    """Return a part without its own parts that a sibling rules out: `(a | b) & ~a` is `b & ~a`."""
    kept = [
        inner for inner in part.parts if not (inner in barred or (isinstance(inner, Not) and inner.part in siblings))
    ]
    if len(kept) == len(part.parts):
        return part
    return kept[0] if len(kept) == 1 else dual(kept)


def _is_implied(part: Node, siblings: dict[Node, None]) -> bool:
    return any(inner in siblings for inner in part.parts)


class _Signed(NamedTuple):
    """A node, and whether an odd number of negations is above it."""

    node: Node
    negated: bool


def _signed_parts(signed: _Signed) -> Sequence[_Signed]:
    node = signed.node
    negated = signed.negated ^ isinstance(node, Not)
    return [_Signed(part, negated) for part in node.parts]


def _unsigned(signed: _Signed, parts: list[Node]) -> Node:
    match signed.node:
        case Comparison() as leaf:
            return Not(leaf) if signed.negated else leaf
        case Not():
            return parts[0]
        case AllOf():
            return AnyOf(parts) if signed.negated else AllOf(parts)
        case AnyOf():
            return AllOf(parts) if signed.negated else AnyOf(parts)
