"""Division of an expression that does not fit one search as written: nested differently, or into several searches."""

from __future__ import annotations

from math import ceil

from persona_cases.query.nodes import Predicate
from persona_cases.query.planner.blocks import Capacity, Vocabulary
from persona_cases.query.planner.covers import Covers, TooManyBlocksError
from persona_cases.query.planner.nesting import nested
from persona_cases.query.planner.packing import Packing, expression, pack
from persona_cases.query.planner.refusal import too_complex
from persona_cases.query.planner.search_limits import SearchLimits

__all__ = ["divided"]


def divided(written: Predicate, simple: Predicate, limits: SearchLimits, most: int) -> tuple[Predicate | None, ...]:
    """Return the searches of an expression: steps 3 and 4 of `plan`.

    Args:
        written: the expression.
        simple: the same, simplified.
        limits: the limits of one search.
        most: maximum number of searches.

    Raises:
        QueryTooComplexError: if it needs more searches.
    """
    fitting = nested(simple, limits)
    if fitting is not None:
        return (fitting,)
    vocabulary = Vocabulary(simple)
    packing = _packing(simple, vocabulary, Capacity.of(limits), most)
    if packing.searches is None:
        raise too_complex(written, limits, most, packing.count)
    return tuple(expression(search, vocabulary, limits) for search in packing.searches)


def _packing(normal: Predicate, vocabulary: Vocabulary, capacity: Capacity, most: int) -> Packing:
    try:
        cover = Covers(vocabulary, capacity, most * capacity.width).of(normal)
    except TooManyBlocksError as error:
        return Packing(None, max(most + 1, ceil(error.count / capacity.width)))
    return pack(cover, vocabulary, capacity, most)
