"""Split what a search finds into ranges of creation time, for several machines to export."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from persona_cases.errors import Answered, DecodeError, InvalidArgumentError, PaginationError, naming
from persona_cases.export.ranges.sampling import Profile, looks_for
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.paging import LARGEST_PAGE
from persona_cases.query import Predicate, Q, Sort
from persona_cases.query.planner.plan import DEFAULT_MAX_SEARCHES

if TYPE_CHECKING:
    from persona_cases.resources.exporting.export_run import Searching

__all__ = ["CaseRanges"]

_OLDEST_FIRST, _NEWEST_FIRST = Q.created_at.asc(), Q.created_at.desc()
_MOST_RANGES = 10_000
_ORDER = "the server ignored the sort or the range of creation times: ranges would silently miss cases"


class CaseRanges:
    """The method of `persona.cases` that divides the work of an export."""

    async def ranges(
        self: Searching, where: Predicate | None = None, *, count: int, max_searches: int = DEFAULT_MAX_SEARCHES
    ) -> list[TimeRange]:
        """Split what a search finds into ranges of creation time with about as many cases each.

        The ranges are adjacent, without gaps or overlap, so that each case is in exactly one of them. It is a snapshot
        in one respect: cases created after the newest one that is found now are in none. `range.narrow(where)` is the
        expression for the cases of one range.

        The API counts nothing. So how the cases lie in time is estimated from a few pages: two for the ends, and up to
        two for each range, but at most 16, in between. Where few cases are all seen, the ranges are exact.

        Args:
            where: what to look for; None finds all cases.
            count: how many ranges, 1 to 10,000. Take several for each worker, so that one that turns out large does not
                hold up the others.
            max_searches: how many searches the expression may take; see `search`.

        Returns:
            The ranges, in the order of time: fewer than asked for if there are too few moments at which cases were
            created, none if there is no case.

        Raises:
            InvalidArgumentError: if `count` cannot work, before the first request.
            PersonaError: whatever a search may raise.
        """
        _check_count(count)

        calls = list[Answered | None]()

        async def seen(part: TimeRange, sort: Sort = _OLDEST_FIRST) -> list[int]:
            pager = self.search(part.narrow(where), sort=sort, only=["created_at"], max_searches=max_searches)
            moments = list[int]()
            async for page in pager.limit(LARGEST_PAGE).pages():
                calls.append(page.call)
                with naming(page.call):
                    moments += [_moment(case.created_at) for case in page]
                    _check_order(moments if sort == _OLDEST_FIRST else moments[::-1], part)
            return moments if sort == _OLDEST_FIRST else moments[::-1]

        oldest = await seen(TimeRange())
        if not oldest:
            return []
        newest = await seen(TimeRange(), _NEWEST_FIRST) if len(oldest) == LARGEST_PAGE else []
        # If all of these were created at one moment, the server may have sent the oldest cases twice.
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


def _check_order(moments: list[int], part: TimeRange) -> None:
    if any(one > other for one, other in pairwise(moments)) or any(moment not in part for moment in moments):
        raise PaginationError(_ORDER)


def _check_count(count: object) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_RANGES:
        raise InvalidArgumentError(f"count must be a number of ranges from 1 to {_MOST_RANGES:,}")


def _moment(created_at: datetime | None) -> int:
    if created_at is None:
        raise DecodeError("a case has no creation time", pointer="/data")
    return moment_of(created_at)
