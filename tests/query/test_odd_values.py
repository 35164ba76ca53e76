"""Whatever is compared with, what comes out is an expression that JSON can carry, or our own error."""

from __future__ import annotations

import decimal
import enum
import fractions
import json
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.query import Predicate, Q, parse
from persona_cases.query.nodes import Comparison
from persona_cases.query.values import to_scalar


class NotATime(datetime):
    """What pandas.NaT is: a datetime that answers no question."""

    def utcoffset(self):
        raise ValueError("NaTType does not support utcoffset")


class LostZone(tzinfo):
    """A zone that implements nothing."""


class FarZone(tzinfo):
    def utcoffset(self, _):
        return timedelta(days=3)


class WrongZone(tzinfo):
    def utcoffset(self, _):
        return 5


class Loud(str):
    """A text that shows another one."""

    __slots__ = ()

    def __str__(self):
        return "shown"

    def encode(self, *_):
        raise AssertionError("asked to encode")


class Kind(enum.Enum):
    NESTED = enum.Enum("Inner", {"A": 1}).A
    LIST = (1, 2)
    NAN = math.nan


ODD = [
    *(None, math.nan, math.inf, -math.inf, 10**400, -(10**400), 2**64, -(2**63) - 1, 5j, decimal.Decimal("NaN")),
    *("\ud800", "a\udfffb", "\x00", "", "x" * 300, Loud("\ud800"), Loud("fine"), b"\xff", bytearray(b"x")),
    *(fractions.Fraction(1, 3), uuid.UUID(int=0), object(), type, len, [1], (1,), {1}, {"a": 1}, range(3), ...),
    *(datetime(2026, 1, 1), datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), date.min, date.max),
    *(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), time(1), timedelta(1), timedelta.max),
    *(NotATime(2026, 1, 1), NotATime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=LostZone())),
    *(datetime(2026, 1, 1, tzinfo=FarZone()), datetime(2026, 1, 1, tzinfo=WrongZone()), *Kind),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-31T24:00:00Z", "2026-01-31T00:00:00+99:99"),
    *(
        "0000-01-01",
        "2026-01-31T00:00:60Z",
        "\u0662\u0660\u0662\u0666-01-01",
        Q.status,
        Q.created_at,
        Q.status.eq("a"),
        Q,
    ),
]
FIELDS = [Q.status, Q.created_at, Q.sla_expires_at, Q.fields.x, Q.attribute("newer"), Q.attribute("created_at")]
OPERATORS = ["eq", "ne", "gt", "gte", "lt", "lte", "in_", "not_in", "between"]

anything = (
    st.integers(0, len(ODD) - 1).map(ODD.__getitem__)
    | st.floats()
    | st.integers()
    | st.text()
    | st.datetimes()
    | st.dates()
    | st.binary()
)


def arguments(operator: str, value: object) -> tuple[object, ...]:
    return {"in_": ([value, "x"],), "not_in": ([value],), "between": (value, value)}.get(operator, (value,))


def outcome(make, *args: object) -> Predicate | QueryError:
    try:
        return make(*args)
    except QueryError as error:
        return error


def hold_to_json(made: Predicate) -> None:
    text = json.dumps(made.to_dict(), allow_nan=False, ensure_ascii=False).encode()
    assert Predicate.from_dict(json.loads(text)) == made
    assert parse(str(made)) == made
    assert isinstance(hash(made.simplify()), int)
    case = {"attributes": {"status": "x", "created-at": "2026-01-01T00:00:00Z", "fields": {"x": "2026-01-01"}}}
    if all(name not in str(made) for name in ("newer", "sla")):
        made.matches(case)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_odd_values_become_json_or_our_error(field, operator):
    outcomes = [outcome(getattr(field, operator), *arguments(operator, value)) for value in ODD]
    made = [each for each in outcomes if isinstance(each, Predicate)]
    errors = [each for each in outcomes if isinstance(each, QueryError)]
    assert len(errors) > 30
    assert not any(error.__cause__ for error in errors)
    for predicate in made:
        hold_to_json(predicate)


@given(st.sampled_from(FIELDS), st.sampled_from(OPERATORS), anything)
def test_any_value_becomes_json_or_our_error(field, operator, value):
    made = outcome(getattr(field, operator), *arguments(operator, value))
    if isinstance(made, Predicate):
        hold_to_json(made)


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_values_at_other_doors(value):
    for door in (
        lambda: Comparison("status", "eq", value),
        lambda: Comparison(value, "eq", 1),
        lambda: Comparison("status", value, 1),
        lambda: Q.attribute(value).eq(1),
        lambda: Q.fields[value].eq(1),
        lambda: Predicate.from_dict({"attribute": "status", "operator": "eq", "value": value}),
        lambda: Predicate.from_dict({"attribute": value, "operator": "eq", "value": 1}),
        lambda: Predicate.from_dict({"attribute": "status", "operator": value, "value": 1}),
        lambda: Predicate.from_dict(value),
        lambda: parse(value),
        lambda: Q.created_at.in_last(value),
        lambda: Q.created_at.in_next(days=value),
        lambda: Q.created_at.in_next(days=1, now=value),
        lambda: Q.status.in_(value),
        lambda: Q.all_of(value),
        lambda: Q.any_of([value]),
    ):
        try:
            door()
        except QueryError:
            continue


@pytest.mark.parametrize(
    "when",
    [NotATime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=LostZone()), datetime(2026, 1, 1, tzinfo=WrongZone())],
)
def test_a_datetime_that_names_no_time_is_told_so(when):
    with pytest.raises(QueryError, match="created_at cannot be compared with this (NotATime|datetime)"):
        Q.created_at.gte(when)


def test_scalars_of_numpy_are_told_what_to_do():
    scalar = type("int64", (), {"__module__": "numpy"})()
    with pytest.raises(QueryTypeError, match=r"use value.item\(\)"):
        Q.fields.x.eq(scalar)


def test_texts_of_other_classes_are_taken_for_what_they_hold():
    assert Q.fields.x.eq(Loud("fine")) == Q.fields.x.eq("fine")
    assert type(Q.fields.x.eq(Loud("fine")).value) is str


def test_a_day_is_its_midnight_unless_days_count_as_such():
    day = date(2026, 1, 31)
    assert to_scalar(day) == "2026-01-31T00:00:00Z"
    assert to_scalar(day, whole_days=True) == "2026-01-31"
