"""The error for an expression that needs too many searches. It names the part that causes it, but no values."""

from __future__ import annotations

from math import inf

import attrs

from persona_cases.errors import QueryTooComplexError
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, as_node, fold
from persona_cases.query.planner.blocks import Capacity, Vocabulary
from persona_cases.query.planner.covers import Cover, Covers, TooManyBlocksError
from persona_cases.query.planner.packing import pack
from persona_cases.query.planner.search_limits import SearchLimits
from persona_cases.query.predicate_json import PlacedNode

__all__ = ["too_complex"]

# Maximum length of a pointer in a message. The error has the whole pointer.
_LONGEST_POINTER = 80


def too_complex(written: Predicate, limits: SearchLimits, most: int, needed: float) -> QueryTooComplexError:
    """Return the error for an expression that needs more than `most` searches; `needed` may be infinity."""
    placed = _blamed(written, limits, most)
    pointer = placed.pointer
    shown = pointer if len(pointer) <= _LONGEST_POINTER else f"…{pointer[-_LONGEST_POINTER:]}"
    where = f"the {_described(placed.node)} at {shown}" if pointer else f"the {_described(placed.node)}, as a whole"
    if needed == inf:
        room = f"{limits.max_clauses} complements, or {limits.max_clauses**2} comparisons,"
        message = f"no number of searches can express it: one search has room for {room} that hold together"
    else:
        allowed = "1 search" if most == 1 else f"{most} searches"
        message = f"it needs at least {_rounded(needed)} searches, but max_searches allows {allowed}"
    return QueryTooComplexError(
        f"the expression does not fit the API's limits: {message}. The cause is {where}",
        pointer=pointer,
        searches_needed=None if needed == inf else int(needed),
    )


@attrs.frozen(eq=False)
class _Covered:
    placed: PlacedNode
    cover: Cover
    below: list[_Covered]


class _FoundError(Exception):
    """Ends the search for the node to name, and holds the node."""

    def __init__(self, placed: PlacedNode) -> None:
        super().__init__()
        self.placed = placed


def _blamed(written: Predicate, limits: SearchLimits, most: int) -> PlacedNode:
    """Find the smallest part that alone needs too many searches; of several, the first one written."""
    vocabulary, capacity = Vocabulary(written), Capacity.of(limits)
    covers = Covers(vocabulary, capacity, most * limits.max_clauses)

    def combine(placed: PlacedNode, below: list[_Covered]) -> _Covered:
        try:
            return _Covered(placed, _cover(placed, [part.cover for part in below], covers), below)
        except TooManyBlocksError:
            raise _FoundError(placed) from None

    def is_too_much(cover: Cover) -> bool:
        simple = len(cover.blocks) <= most and all(map(capacity.holds, cover.blocks))
        return not simple and pack(cover, vocabulary, capacity, most).count > most

    try:
        blamed = fold(PlacedNode(as_node(written)), PlacedNode.below, combine)
    except _FoundError as found:
        return found.placed
    while True:
        part = next((it for it in blamed.below if is_too_much(it.cover)), None)
        if part is None:
            return blamed.placed
        blamed = part


def _cover(placed: PlacedNode, parts: list[Cover], covers: Covers) -> Cover:
    match placed.node:
        case Comparison():
            return covers.literal(placed.node, negated=placed.negated)
        case Not():
            return parts[0]
        case AllOf():
            return covers.any_of(parts) if placed.negated else covers.all_of(parts)
        case AnyOf():
            return covers.all_of(parts) if placed.negated else covers.any_of(parts)


def _described(node: Node) -> str:
    match node:
        case Comparison():
            return "comparison"
        case Not():
            return "`not`"
        case AllOf() | AnyOf():
            return f"`{node.word}` of {len(node.parts)} clauses"


def _rounded(needed: float) -> str:
    return f"{int(needed):,}" if needed < 10**9 else f"10^{len(str(int(needed))) - 1}"
