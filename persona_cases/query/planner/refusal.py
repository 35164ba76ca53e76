"""Saying why an expression takes too many searches, and where in it that comes from, without quoting its values."""

from __future__ import annotations

from math import inf

import attrs

from persona_cases.errors import QueryTooComplexError
from persona_cases.query.fold import fold
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, as_node
from persona_cases.query.planner.blocks import Shape, Vocabulary
from persona_cases.query.planner.covers import Cover, Covers, TooManyBlocksError
from persona_cases.query.planner.packing import pack
from persona_cases.query.planner.search_limits import SearchLimits
from persona_cases.query.predicate_json import Place

__all__ = ["too_complex"]

# What of a pointer a message shows; the error carries all of it.
_LONGEST_POINTER = 80


def too_complex(written: Predicate, limits: SearchLimits, most: int, needed: float) -> QueryTooComplexError:
    """Return the error for an expression that takes too many searches.

    Args:
        written: the expression as it was written.
        limits: what one search can carry.
        most: how many searches were allowed.
        needed: how many it would take at least; infinity if no number would do.
    """
    place = _blamed(written, limits, most)
    pointer = place.pointer
    shown = pointer if len(pointer) <= _LONGEST_POINTER else f"…{pointer[-_LONGEST_POINTER:]}"
    where = f"the {_described(place.node)} at {shown}" if pointer else f"the {_described(place.node)}, as a whole"
    if needed == inf:
        room = f"{limits.max_clauses} complements, or {limits.max_clauses**2} comparisons,"
        message = f"no number of searches can express it: one search has room for {room} that hold together"
    else:
        allowed = "1 search" if most == 1 else f"{most} searches"
        message = f"it would take at least {_rounded(needed)} searches, where max_searches allows {allowed}"
    return QueryTooComplexError(
        f"the expression does not fit the API's limits: {message}. What takes too much is {where}",
        pointer=pointer,
        searches_needed=None if needed == inf else int(needed),
    )


@attrs.frozen(eq=False)
class _Covered:
    place: Place
    cover: Cover
    below: list[_Covered]


class _FoundError(Exception):
    """Ends the search for the place, which it carries."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def _blamed(written: Predicate, limits: SearchLimits, most: int) -> Place:
    """Find the smallest part that takes too many searches by itself: the first one, as it is read."""
    vocabulary, shape = Vocabulary(written), Shape.of(limits)
    covers = Covers(vocabulary, shape, most * limits.max_clauses)

    def combine(place: Place, below: list[_Covered]) -> _Covered:
        try:
            return _Covered(place, _cover(place, [part.cover for part in below], covers), below)
        except TooManyBlocksError:
            raise _FoundError(place) from None

    def is_too_much(cover: Cover) -> bool:
        simple = len(cover.blocks) <= most and all(map(shape.holds, cover.blocks))
        return not simple and pack(cover, vocabulary, shape, most).count > most

    try:
        blamed = fold(Place(as_node(written)), Place.below, combine)
    except _FoundError as found:
        return found.place
    while True:
        part = next((it for it in blamed.below if is_too_much(it.cover)), None)
        if part is None:
            return blamed.place
        blamed = part


def _cover(place: Place, parts: list[Cover], covers: Covers) -> Cover:
    match place.node:
        case Comparison():
            return covers.literal(place.node, negated=place.negated)
        case Not():
            return parts[0]
        case AllOf():
            return covers.any_of(parts) if place.negated else covers.all_of(parts)
        case AnyOf():
            return covers.all_of(parts) if place.negated else covers.any_of(parts)


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
