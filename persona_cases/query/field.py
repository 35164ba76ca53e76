"""`Field` and its kinds, such as `Q.status` and `Q.created_at`: attributes to compare."""

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

# Every time that the API can hold lies after it: so `>=` asks whether there is one.
_EARLIEST = "1970-01-01T00:00:00Z"

T_contra = TypeVar("T_contra", contravariant=True)


@taught(FIELD)
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class Field(Generic[T_contra]):
    """An attribute to search for. Its methods make predicates, `asc()` and `desc()` make sorts.

    Values are turned into JSON scalars at once: a datetime into its UTC ISO text, a date into its UTC midnight
    (for a custom field, into the text of the day), an `Enum` member into its value. Values that cannot be compared
    (None, NaN, a naive datetime, a type that the attribute never has) are refused where they are written.
    """

    _attribute: Attribute

    def eq(self, value: T_contra) -> Predicate:
        """Equal to the value."""
        return self._compare("eq", value)

    def ne(self, value: T_contra) -> Predicate:
        """Not equal to the value: `~eq(value)`, so it holds for cases without the attribute too."""
        return ~self._compare("eq", value)

    def in_(self, values: Iterable[T_contra]) -> Predicate:
        """Equal to one of the values, in the order given; with no value, nothing matches.

        Raises:
            QueryTypeError: if `values` is not a list of values, or is a str, which would be a list of letters.
        """
        leaves = [self._compare("eq", value) for value in self._listed(values)]
        return leaves[0] if len(leaves) == 1 else AnyOf(leaves)

    def not_in(self, values: Iterable[T_contra]) -> Predicate:
        """Equal to none of the values: `~in_(values)`, so it holds for cases without the attribute too."""
        return ~self.in_(values)

    def asc(self) -> Sort:
        """Sort by this attribute, the least or earliest value first."""
        return self._sort("asc")

    def desc(self) -> Sort:
        """Sort by this attribute, the greatest or latest value first."""
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
        # Plain values, so that a pickle names no class but this one.
        return self._attribute.name, self._attribute.kind is Kind.ANY

    def __setstate__(self, state: tuple[str, bool]) -> None:
        name, takes_any = state
        object.__setattr__(self, "_attribute", untyped(name) if takes_any else SEARCHABLE[name])

    if not TYPE_CHECKING:  # A checker that saw them would take what follows for unreachable.

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
        """Greater, or later, than the value."""
        return self._compare("gt", value)

    def gte(self, value: T_contra) -> Predicate:
        """Greater, or later, than the value, or equal to it."""
        return self._compare("gte", value)

    def lt(self, value: T_contra) -> Predicate:
        """Less, or earlier, than the value."""
        return self._compare("lt", value)

    def lte(self, value: T_contra) -> Predicate:
        """Less, or earlier, than the value, or equal to it."""
        return self._compare("lte", value)

    def between(self, low: T_contra, high: T_contra) -> Predicate:
        """At least `low` and less than `high`: `low <= attribute < high`, as two comparisons."""
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
    """An attribute that holds a time. It takes aware datetimes, dates and ISO texts (kept as written)."""

    def is_set(self) -> Predicate:
        """The case has such a time; sent as `gte("1970-01-01T00:00:00Z")`, because the API has no null."""
        return self._compare("gte", _EARLIEST)

    def is_unset(self) -> Predicate:
        """The case has no such time: `~is_set()`."""
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
        """From `now - span` to `now`, both included.

        The call fixes `now`, not the search. Most times cannot lie in the future, so for them this is one comparison,
        `gte(now - span)`. `sla_expires_at` can, so it gets the upper bound `lte(now)` too.

        Args:
            span: how far to reach back; the keywords are added to it.
            weeks: of seven days.
            days: of 24 hours.
            hours: of 60 minutes.
            minutes: of 60 seconds.
            seconds: of the span.
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
        """From `now` to before `now + span`: `now <= attribute < now + span`, like `between`.

        `Q.sla_expires_at.in_next(hours=4)` finds the cases whose SLA expires within four hours. The call fixes `now`,
        not the search.

        Args:
            span: how far to reach ahead; the keywords are added to it.
            weeks: of seven days.
            days: of 24 hours.
            hours: of 60 minutes.
            minutes: of 60 seconds.
            seconds: of the span.
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
