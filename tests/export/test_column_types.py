"""What type a value is, and what type two values are together."""

from __future__ import annotations

import functools
import itertools
import operator
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persona_cases.export.columns.types import (
    JSON,
    NOTHING,
    TEXT,
    ColumnKind,
    ColumnType,
    as_date,
    as_time,
    type_of,
    type_of_all,
)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
words = st.sampled_from([None, "string", "date", "datetime"])
types = st.builds(type_of, values, words)


@given(types, types, types)
def test_joining_is_a_lattice(a, b, c):
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a
    assert a | NOTHING == a
    assert a | JSON == JSON


@pytest.mark.parametrize(
    ("value", "declared", "kind"),
    [
        (None, None, ColumnKind.NOTHING),
        (True, None, ColumnKind.BOOLEAN),
        (2**53, None, ColumnKind.SMALL),
        (2**53 + 1, None, ColumnKind.INTEGER),
        (-(2**63), None, ColumnKind.INTEGER),
        (2**63, None, ColumnKind.JSON),
        (1.0, None, ColumnKind.NUMBER),
        ("2025-12-31", None, ColumnKind.TEXT),
        ("2025-12-31", "date", ColumnKind.DATE),
        ("2025-02-29", "date", ColumnKind.TEXT),
        ("20251231", "date", ColumnKind.TEXT),
        ("2025-12-31T00:00:00Z", "datetime", ColumnKind.TIME),
        ("2025-12-31T00:00:00", "datetime", ColumnKind.TEXT),
        ({"a": 1}, None, ColumnKind.JSON),
    ],
)
def test_the_narrowest_type_of_a_value(value, declared, kind):
    assert type_of(value, declared) == ColumnType(kind)


@pytest.mark.parametrize(
    ("items", "type"),
    [
        ([], ColumnType(ColumnKind.NOTHING, many=True)),
        ([1, None, 2.5], ColumnType(ColumnKind.NUMBER, many=True)),
        (["a", None], ColumnType(ColumnKind.TEXT, many=True)),
        (["a", 1], JSON),
        ([[1]], JSON),
        ([{}], JSON),
    ],
)
def test_the_type_of_a_list(items, type):
    assert type_of(items) == type


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (1, 2.5, ColumnType(ColumnKind.NUMBER)),
        (1, 2**60, ColumnType(ColumnKind.INTEGER)),
        (2**60, 2.5, JSON),
        (1, True, JSON),
        (1, "1", JSON),
        ("a", ["a"], JSON),
        ([], ["a"], ColumnType(ColumnKind.TEXT, many=True)),
    ],
)
def test_values_that_do_not_fit_together_become_json(one, other, joined):
    assert type_of(one) | type_of(other) == joined


def test_a_date_among_other_texts_is_text():
    assert type_of("2025-12-31", "date") | type_of("soon", "date") == TEXT


@given(st.dates())
def test_dates_are_read_as_they_are_written(day):
    assert as_date(day.isoformat()) == day


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_read_as_they_are_written(moment):
    assert as_time(moment.isoformat(timespec="microseconds").replace("+00:00", "Z")) == moment


@given(st.text())
@example("2025-13-01")
@example("2025-01-01T25:00:00Z")
@example("0001-01-01T00:00:00+23:59")
@example("٢٠٢٥-01-01")
def test_any_text_may_be_no_time(text):
    assert isinstance(as_date(text), date | None)
    assert isinstance(as_time(text), datetime | None)


def test_finer_than_microseconds_is_no_time():
    assert as_time("2025-01-01T00:00:00.1234567Z") is None
    assert as_time("2025-01-01T01:30:00.5+01:30") == datetime(2025, 1, 1, microsecond=500_000, tzinfo=UTC)


def test_types_have_names():
    assert [str(type_of(["a"])), str(JSON)] == ["list of text", "json"]


@given(st.lists(st.tuples(values, words)))
def test_a_column_has_the_type_of_all_its_values(column):
    expected = functools.reduce(operator.or_, itertools.starmap(type_of, column), NOTHING)
    assert type_of_all([value for value, _ in column], [word for _, word in column]) == expected
