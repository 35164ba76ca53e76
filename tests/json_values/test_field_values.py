"""Custom fields as JSON: what is sent, and what has no form."""

from __future__ import annotations

from collections import UserDict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntFlag

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import InvalidArgumentError
from persona_cases.json_values import encode_body, field_values


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), datetime(2026, 1, 1), b"bytes", {1, 2}, object(), {5: "x"}, {"": 1}],
)
def test_field_values_that_json_has_no_form_for_are_refused_without_showing_them(value):
    with pytest.raises(InvalidArgumentError, match="fields") as caught:
        field_values({"secret_key": value})
    assert repr(value) not in str(caught.value)


class NotATime(datetime):
    """What pandas has for a missing time: a datetime by its class, and none by what it does."""

    def utcoffset(self):
        raise ValueError("NaTType does not support utcoffset")


class Share(float):
    """What numpy has for a float: a subclass."""


class Word(str):
    """A text that says something else of itself."""

    __slots__ = ()

    def __str__(self):
        raise AssertionError("nobody has to ask")


@pytest.mark.parametrize(
    "value",
    [
        NotATime(2026, 1, 1),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))),
        Decimal("sNaN"),
        Decimal("1e400"),
        Share("nan"),
        1 << 5000,
    ],
)
def test_values_of_strange_classes_are_refused_in_our_words(value):
    with pytest.raises(InvalidArgumentError, match=r"fields\['k'\]\[0\] must be") as caught:
        field_values({"k": [value]})
    assert caught.value.__context__ is None


def test_subclasses_are_sent_as_what_they_derive_from():
    sent = field_values({Word("k"): [Share(1.5), Word("x"), IntFlag("Bits", "a b")["b"], True, 1 << 80]})
    assert encode_body(sent) == b'{"k":[1.5,"x",2,true,1208925819614629174706176]}'


def test_a_value_nested_too_deep_is_refused():
    value: object = "x"
    for _ in range(200):
        value = [value]
    with pytest.raises(InvalidArgumentError, match="nested"):
        field_values({"a": value})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), JSON, max_size=5))
def test_plain_json_is_sent_as_it_is(fields):
    assert msgspec.json.decode(encode_body(field_values(fields))) == fields


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-10_000, max_value=10_000))
def test_decimals_keep_their_digits(number):
    assert msgspec.json.decode(encode_body(field_values({"n": number})), type=dict[str, Decimal]) == {"n": number}


def test_any_mapping_will_do():
    assert field_values(UserDict({"a": UserDict({"b": 1})})) == {"a": {"b": 1}}


def test_times_are_sent_in_utc():
    assert field_values({"at": datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)}) == {"at": "2026-01-01T12:00:00.000005Z"}
