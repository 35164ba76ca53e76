"""Split the results of a search into ranges of creation time, for several machines to export."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from persona_cases.errors import Answered, DecodeError, InvalidArgumentError, PaginationError, naming
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.paging import LARGEST_PAGE
from persona_cases.query import Predicate, Q, Sort
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES

if TYPE_CHECKING:
    from persona_cases.resources.exporting.export_run import Searching

__all__ = ["CaseRanges"]

_OLDEST_FIRST, _NEWEST_FIRST = Q.created_at.asc(), Q.created_at.desc()
_MOST_RANGES = 10_000
_ORDER = "the server ignored the sort order or the range of creation times, so ranges would silently miss cases"


class CaseRanges:
    """The method of `persona.cases` that splits the work of an export."""

    async def ranges(
        self: Searching, where: Predicate | None = None, *, count: int, max_searches: int = DEFAULT_MAX_SEARCHES
    ) -> list[TimeRange]:
        """Split the results of a search into ranges of creation time with about the same number of cases each.

        The ranges are adjacent, without gaps or overlap, so each case is in exactly one of them. The upper bound is
        fixed now: cases created after the newest one found are in no range. `range.narrow(where)` is the expression for
        the cases of one range.

        The API cannot count cases, so the method estimates their distribution over time from a few pages: two for the
        ends, and up to two per range in between, but at most 16. If these pages contain all cases, the ranges are
        exact.

        Args:
            where: the search expression; None finds all cases.
            count: number of ranges, 1 to 10,000. Use several per worker, so that one large range does not delay the
                others.
            max_searches: maximum number of searches that the expression may take; see `search`.

        Returns:
            The ranges in order of time: fewer than requested if cases were created at too few distinct times, and none
            if there are no cases.

        Raises:
            InvalidArgumentError: if `count` is invalid, before the first request.
            PersonaError: any error that a search can raise.
        """
        from persona_cases.export.ranges.sampling import Profile, looks_for  # noqa: PLC0415 - few programs divide exports

        _check_count(count)

        calls = list[Answered | None]()

        async def seen(time_range: TimeRange, sort: Sort = _OLDEST_FIRST) -> list[int]:
            pager = self.search(time_range.narrow(where), sort=sort, only=["created_at"], max_searches=max_searches)
            moments = list[int]()
            async for page in pager.limit(LARGEST_PAGE).pages():
                calls.append(page.call)
                with naming(page.call):
                    moments += [_moment(case.created_at) for case in page]
                    _check_order(moments if sort == _OLDEST_FIRST else moments[::-1], time_range)
            return moments if sort == _OLDEST_FIRST else moments[::-1]

        oldest = await seen(TimeRange())
        if not oldest:
            return []
        newest = await seen(TimeRange(), _NEWEST_FIRST) if len(oldest) == LARGEST_PAGE else []
        # If all of these were created at the same time, the server may have sent the oldest cases twice.
        alike = bool(newest) and oldest[0] == newest[-1]
        if newest and (newest[-1] < oldest[-1] or (alike and await seen(TimeRange(newest[-1] + 1, None)))):
            with naming(*calls):
                raise PaginationError(_ORDER)
        profile = Profile.between(oldest, newest)
        for exploring in looks_for(count):
            look = profile.next_look(exploring=exploring)
            if look is None:
                break
            moments = await seen(look.range)
            profile = profile.with_sample(look.saw(moments, complete=len(moments) < LARGEST_PAGE))
        return profile.ranges(count)


def _check_order(moments: list[int], time_range: TimeRange) -> None:
    if any(one > other for one, other in pairwise(moments)) or any(moment not in time_range for moment in moments):
        raise PaginationError(_ORDER)


def _check_count(count: object) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_RANGES:
        raise InvalidArgumentError(f"count must be a number of ranges from 1 to {_MOST_RANGES:,}")


def _moment(created_at: datetime | None) -> int:
    if created_at is None:
        raise DecodeError("a case has no creation time", pointer="/data")
    return moment_of(created_at)
