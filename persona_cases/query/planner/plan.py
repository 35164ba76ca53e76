"""`plan`: turns any expression into a small number of searches, each within the API's limits.

The steps go from the cheapest to the most expensive. The first that yields one search is the last:

1. Send the expression as written, if it fits and is neither always nor never true.
2. Simplify it: move complements directly before comparisons, which never takes more levels, flatten nodes, and drop
   duplicates and redundant parts.
3. Nest it: split a node that is too wide into a node of nodes.
4. Cover it with blocks (`covers`), and pack the blocks into searches (`packing`).

Every step preserves the meaning under the API's two-valued logic. The size of every intermediate result is bounded, so
an expression that needs too many searches raises early.
"""

from __future__ import annotations

import attrs
import msgspec

from persona_cases.query.entry import as_predicate
from persona_cases.query.nodes import AllOf, AnyOf, Predicate
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES
from persona_cases.query.planner.search_limits import SearchLimits
from persona_cases.query.values import whole_number
from persona_cases.surface import publish

__all__ = ["Plan", "plan"]


@attrs.frozen
class Plan:
    """An expression as searches that the API can run.

    A case matches the expression if and only if it matches at least one of the searches. It may match several.

    Attributes:
        where: the expression; None means all cases.
        searches: the searches; one that is None finds all cases. Empty if no case can match.
        limits: the limits that each search meets.
    """

    where: Predicate | None
    searches: tuple[Predicate | None, ...]
    limits: SearchLimits

    def explain(self) -> str:
        """Describe the plan in words and JSON, including the values of the query."""
        if not self.searches:
            return f"no search: no case can match {self.where}"
        count = len(self.searches)
        heading = "one search" if count == 1 else f"{count} searches, side by side, each case once"
        return "\n".join([heading, *(self._line(number) for number in range(count))])

    def _line(self, number: int) -> str:
        search = self.searches[number]
        numbered = f"{number + 1}. " if len(self.searches) > 1 else ""
        if search is None:
            return f"{numbered}all cases"
        note = " (as written)" if search is self.where else ""
        return f"{numbered}{search}{note}\n   {msgspec.json.encode(search.to_dict()).decode()}"


def plan(where: Predicate | None, limits: SearchLimits | None = None, max_searches: int = DEFAULT_MAX_SEARCHES) -> Plan:
    """Plan an expression of any shape as a small number of searches.

    Args:
        where: the expression; None means all cases.
        limits: limits of one search. Default: the documented limits of the API.
        max_searches: maximum number of searches.

    Returns:
        The plan, which is always the same for the same arguments.

    Raises:
        QueryTypeError: if `where` is not a search expression.
        InvalidArgumentError: if `max_searches` is not a whole number of at least 1.
        QueryTooComplexError: if it needs more searches; `pointer` leads to the part that causes it, and
            `searches_needed` is the number needed, or None if no number is enough.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """
    whole_number("max_searches", max_searches, 1)
    within = SearchLimits() if limits is None else limits
    if where is None:
        return Plan(None, (None,), within)
    written = as_predicate(where, "where")
    return Plan(written, _searches(written, within, max_searches), within)


def _searches(written: Predicate, limits: SearchLimits, most: int) -> tuple[Predicate | None, ...]:
    fits = limits.admit(written)
    simple = (written if fits else written.to_nnf()).simplify()
    if isinstance(simple, AllOf | AnyOf) and not simple.parts:
        return (None,) if isinstance(simple, AllOf) else ()
    if fits:
        return (written,)
    # Most expressions fit one search.
    from persona_cases.query.planner.division import divided  # noqa: PLC0415

    return divided(written, simple, limits, most)


publish("persona_cases.query", Plan, plan)
