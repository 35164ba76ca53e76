"""`Listing`: how to find the cases of an expression with the list endpoint. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Self

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.protocol.message import QueryPairs
from persona_cases.query import Predicate, Q
from persona_cases.query.attributes import attribute_named
from persona_cases.query.entry import as_predicate
from persona_cases.query.matching import check_decidable
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, leaves_of
from persona_cases.query.values import instant, is_date
from persona_cases.resources.requests import query_parameters as parameters

# Ranges can be reversed only up to here, the year 3938. Later bounds are ignored.
_FARTHEST: Final = -moment_of(datetime.min.replace(tzinfo=UTC))


@attrs.frozen(kw_only=True)
class Listing:
    """A list of cases, and the expression that is still to be evaluated on each of them.

    Attributes:
        filters: the filter parameters of the list.
        rest: the expression to evaluate locally; None if there is none.
        filtered: the expression that the filters stand for, for a search.
        created: the creation times that the expression allows.
    """

    filters: QueryPairs = attrs.field(default=(), repr=False)
    rest: Predicate | None = attrs.field(default=None, repr=False)
    filtered: Predicate | None = attrs.field(default=None, repr=False)
    created: TimeRange = attrs.field(factory=TimeRange)

    @classmethod
    def of(cls, where: Predicate | None) -> Self:
        """Split an expression into filters and the rest.

        Raises:
            QueryError: if it cannot be evaluated on the attributes that cases show.
        """
        if where is None:
            return cls()
        predicate = as_predicate(where, "where").simplify()
        check_decidable(predicate)
        parts = predicate.parts if isinstance(predicate, AllOf) else (predicate,)
        filtering = _filtering(parts)
        # The API does not document whether the filter is case-sensitive, so statuses are compared here too.
        needless = [part for part in filtering.values() if part.attribute != "status"]
        return cls(
            filters=parameters.filters({name: part.value for name, part in filtering.items()}),
            rest=_all_of(part for part in parts if part not in needless),
            filtered=_all_of(filtering.values()),
            created=_created(parts),
        )

    @property
    def impossible(self) -> bool:
        """Whether no case can match."""
        return self.rest == AnyOf()

    def attributes(self, chosen: Iterable[str]) -> list[str]:
        """Return the attributes to load for a choice of them.

        Args:
            chosen: the attributes that the caller wants.

        Raises:
            InvalidArgumentError: if the rest compares something that only whole cases show.
        """
        decided = [attribute_named(leaf.attribute) for leaf in ([] if self.rest is None else leaves_of(self.rest))]
        for known in decided:
            if known.related is not None:
                raise InvalidArgumentError(
                    f"only: leave it out, because {known.name} can be evaluated only on whole cases"
                )
        return [*dict.fromkeys([*chosen, "created_at", *(known.shown_as or known.name for known in decided)])]


def _filtering(parts: Iterable[Predicate]) -> dict[str, Comparison]:
    """Return the comparisons that filters of the list can replace, by filter name."""
    found: dict[str, Comparison] = {}
    for part in parts:
        if isinstance(part, Comparison) and part.operator == "eq" and part.value and isinstance(part.value, str):
            name = attribute_named(part.attribute).list_filter
            if name is not None:
                found.setdefault(name, part)
    return found


def _all_of(parts: Iterable[Predicate]) -> Predicate | None:
    kept = list(parts)
    return Q.all_of(kept) if kept else None


def _created(parts: Iterable[Predicate]) -> TimeRange:
    """Return a range that contains all creation times that the parts allow together."""
    lows, highs = list[int](), list[int]()
    for part in parts:
        if isinstance(part, Comparison) and (moment := _bound(part)) is not None:
            if part.operator in {"gt", "gte", "eq"}:
                lows.append(moment)
            if part.operator in {"lt", "lte", "eq"}:
                highs.append(moment + 1)
    low, high = max(lows, default=None), min(highs, default=None)
    # If nothing can match, the whole list is read and no case is taken.
    return TimeRange() if low is not None and high is not None and low >= high else TimeRange(low, high)


def _bound(part: Comparison) -> int | None:
    """Return the timestamp that a creation time is compared with; None if it cannot bound a range."""
    # A bare date is midnight in an unknown zone.
    if part.attribute != "created_at" or not isinstance(part.value, str) or is_date(part.value):
        return None
    time = instant(part.value)
    moment = None if time is None else moment_of(time)
    return None if moment is None or abs(moment) >= _FARTHEST else moment
