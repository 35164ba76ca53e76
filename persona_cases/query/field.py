"""`Field` and its subclasses: attributes to compare, such as `Q.status` and `Q.created_at`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Generic, NoReturn, TypeAlias, TypeVar, cast

import attrs

from persona_cases.errors import QueryTypeError
from persona_cases.query.attributes import SEARCHABLE, Attribute, Kind, spell, spell_untyped, untyped
from persona_cases.query.nodes import MYPY, AllOf, AnyOf, Comparison, Operator, Predicate
from persona_cases.query.query_lessons import FIELD
from persona_cases.query.relative import RelativeTime, moment_of, shifted, span_of
from persona_cases.query.sort import Direction, Sort
from persona_cases.teaching import taught

__all__ = ["AnyValue", "Field", "OrderedField", "TimeField", "TimeValue"]

TimeValue: TypeAlias = datetime | date | str
AnyValue: TypeAlias = str | int | float | bool | datetime | date | Enum

# Every time that the API can hold is later, so `>=` tests whether there is one.
_EARLIEST = "1970-01-01T00:00:00Z"

T_contra = TypeVar("T_contra", contravariant=True)


@taught(FIELD)
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class Field(Generic[T_contra]):
    """An attribute to search for. Its methods make predicates, `asc()` and `desc()` make sorts.

    Values are converted to JSON scalars at once: a datetime to its UTC ISO string, a date to its UTC midnight (for a
    custom field, to the string of the day), an `Enum` member to its value. A value that cannot be compared (None, NaN,
    a naive datetime, a type that the attribute never has) raises immediately.
    """

    _attribute: Attribute

    def eq(self, value: T_contra) -> Predicate:
        """Match cases where the attribute equals the value.

        Args:
            value: a str, number, bool, aware datetime, date, or `Enum` member of these; as the attribute takes it.

        Raises:
            QueryTypeError: if the attribute cannot be compared with the value.
            QueryError: if the value cannot be sent, such as NaN.
        """
        return self._compare("eq", value)

    def ne(self, value: T_contra) -> Predicate:
        """Match cases where the attribute does not equal the value: `~eq(value)`, so cases without it match too.

        Args:
            value: as for `eq`.
        """
        return ~self._compare("eq", value)

    def in_(self, values: Iterable[T_contra]) -> Predicate:
        """Match cases where the attribute equals one of the values; an empty list matches nothing.

        Args:
            values: a list or another iterable of values; their order is kept.

        Raises:
            QueryTypeError: if `values` is not a list of values, or is a str, which would be a list of letters.
        """
        leaves = [self._compare("eq", value) for value in self._listed(values)]
        return leaves[0] if len(leaves) == 1 else AnyOf(leaves)

    def not_in(self, values: Iterable[T_contra]) -> Predicate:
        """Match cases where the attribute equals none of the values: `~in_(values)`, so cases without it match too.

        Args:
            values: as for `in_`.
        """
        return ~self.in_(values)

    def asc(self) -> Sort:
        """Sort by this attribute in ascending order: the least or earliest value first."""
        return self._sort("asc")

    def desc(self) -> Sort:
        """Sort by this attribute in descending order: the greatest or latest value first."""
        return self._sort("desc")

    def _compare(self, operator: Operator, value: object) -> Comparison:
        name = self._attribute.name
        if isinstance(value, RelativeTime):
            scalar = self._attribute.scalar(value.value_for(name))
            return Comparison(name, operator, scalar, relative=value.words)
        return Comparison(name, operator, self._attribute.scalar(value))

    def _sort(self, direction: Direction) -> Sort:
        return Sort.by_any(self._attribute.name, direction)

    def _listed(self, values: object) -> Iterable[object]:
        kind = type(values).__name__
        match values:
            case str() | bytes():
                hint = "write .in_([value]) or .eq(value)"
            case Mapping():
                hint = "choose its keys or its values"
            case Iterable():
                return cast("Iterable[object]", values)
            case _:
                hint = "for a single value there is .eq"
        raise QueryTypeError(f"{self._attribute.name}: in_ takes a list of values, not a {kind}; {hint}")

    def __getstate__(self) -> tuple[str, bool]:
        # Plain values, so that a pickle names only this class.
        return self._attribute.name, self._attribute.kind is Kind.ANY

    def __setstate__(self, state: tuple[str, bool]) -> None:
        name, takes_any = state
        object.__setattr__(self, "_attribute", untyped(name) if takes_any else SEARCHABLE[name])

    if not TYPE_CHECKING:  # Hidden from type checkers, which would take the code after these for unreachable.

        def __contains__(self, other: object) -> NoReturn:
            raise self._misused("in", "in_")

        def __iter__(self) -> NoReturn:
            raise QueryTypeError(
                f"{self!r} is an attribute, not a list: to compare it with several values use .in_([...])"
            )

    if not MYPY:

        def __bool__(self) -> NoReturn:
            raise QueryTypeError(
                f"{self!r} is neither true nor false: compare it with a value, such as {self!r}.eq(...)"
            )

    def __repr__(self) -> str:
        name = self._attribute.name
        return spell_untyped(name) if self._attribute.kind is Kind.ANY and name in SEARCHABLE else spell(name)

    def _misused(self, operator: str, method: str) -> QueryTypeError:
        return QueryTypeError(f"`{operator}` does not make a search expression: write {self!r}.{method}(...)")


@taught(FIELD)
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class OrderedField(Field[T_contra]):
    """An attribute whose values have an order: all of `Q`, and the numbers and times of typed templates."""

    def gt(self, value: T_contra) -> Predicate:
        """Match cases where the attribute is greater, or later, than the value.

        Args:
            value: as for `eq`.
        """
        return self._compare("gt", value)

    def gte(self, value: T_contra) -> Predicate:
        """Match cases where the attribute is greater, or later, than the value, or equal to it.

        Args:
            value: as for `eq`.
        """
        return self._compare("gte", value)

    def lt(self, value: T_contra) -> Predicate:
        """Match cases where the attribute is less, or earlier, than the value.

        Args:
            value: as for `eq`.
        """
        return self._compare("lt", value)

    def lte(self, value: T_contra) -> Predicate:
        """Match cases where the attribute is less, or earlier, than the value, or equal to it.

        Args:
            value: as for `eq`.
        """
        return self._compare("lte", value)

    def between(self, low: T_contra, high: T_contra) -> Predicate:
        """Match cases where `low <= attribute < high`, sent as two comparisons.

        Args:
            low: the lower bound, included.
            high: the upper bound, excluded.
        """
        return AllOf((self._compare("gte", low), self._compare("lt", high)))

    if not TYPE_CHECKING:

        def __lt__(self, other: object) -> NoReturn:
            raise self._misused("<", "lt")

        def __le__(self, other: object) -> NoReturn:
            raise self._misused("<=", "lte")

        def __gt__(self, other: object) -> NoReturn:
            raise self._misused(">", "gt")

        def __ge__(self, other: object) -> NoReturn:
            raise self._misused(">=", "gte")


@taught(FIELD)
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class TimeField(OrderedField[TimeValue]):
    """An attribute that holds a time. It takes aware datetimes, dates and ISO strings (kept as written)."""

    def is_set(self) -> Predicate:
        """Match cases that have this time; sent as `gte("1970-01-01T00:00:00Z")`, because the API has no null."""
        return self._compare("gte", _EARLIEST)

    def is_unset(self) -> Predicate:
        """Match cases that do not have this time: `~is_set()`."""
        return ~self.is_set()

    def in_last(
        self,
        span: timedelta | None = None,
        /,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        now: datetime | None = None,
    ) -> Predicate:
        """Match times from `now - span` to `now`, both included.

        `now` is fixed by this call, not when the search runs. Most times cannot be in the future, so for them this is
        one comparison, `gte(now - span)`. `sla_expires_at` can, so it gets the upper bound `lte(now)` too.

        Args:
            span: how far to reach back; the keywords are added to it.
            weeks: weeks of seven days to add.
            days: days of 24 hours to add.
            hours: hours to add.
            minutes: minutes to add.
            seconds: seconds to add.
            now: the end of the span, an aware datetime. Default: the time of the call.

        Raises:
            QueryError: if the span is not positive or out of range, or `now` is naive.
            QueryTypeError: if `now` or a part of the span is of another type.
        """
        length = span_of("in_last", span, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        end = moment_of("in_last", now)
        since = self._from_now("gte", shifted("in_last", end, length, back=True), now, f" -{length}")
        return AllOf((since, self._from_now("lte", end, now))) if self._attribute.may_lie_ahead else since

    def in_next(
        self,
        span: timedelta | None = None,
        /,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        now: datetime | None = None,
    ) -> Predicate:
        """Match times where `now <= attribute < now + span`, like `between`.

        `Q.sla_expires_at.in_next(hours=4)` finds the cases whose SLA expires within four hours. `now` is fixed by this
        call, not when the search runs.

        Args:
            span: how far to reach ahead; the keywords are added to it.
            weeks: weeks of seven days to add.
            days: days of 24 hours to add.
            hours: hours to add.
            minutes: minutes to add.
            seconds: seconds to add.
            now: the start of the span, an aware datetime. Default: the time of the call.

        Raises:
            QueryError: if the span is not positive or out of range, or `now` is naive.
            QueryTypeError: if `now` or a part of the span is of another type.
        """
        length = span_of("in_next", span, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        start = moment_of("in_next", now)
        end = shifted("in_next", start, length)
        return AllOf((self._from_now("gte", start, now), self._from_now("lt", end, now, f" +{length}")))

    def _from_now(self, operator: Operator, moment: datetime, now: datetime | None, span: str = "") -> Comparison:
        return self._compare(operator, RelativeTime(moment, f"now(){span}" if now is None else None))
