"""Numbers that callers give: which are taken, and what is said of the others."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import sla_seconds, whole_number


@pytest.mark.parametrize(
    ("value", "bounds"), [(3, {}), (1, {}), (0, {"least": 0}), (9, {"most": 9}), (9, {"least": 9})]
)
def test_whole_numbers_within_the_bounds_are_taken(value, bounds):
    assert whole_number(value, "limit", **bounds) == value


@pytest.mark.parametrize("value", [0, -1, True, 1.0, math.nan, "3", None, timedelta(1)])
def test_what_is_none_is_refused_with_the_bound(value):
    with pytest.raises(InvalidArgumentError, match="^limit must be a whole number of at least 1: omit it$"):
        whole_number(value, "limit", hint=": omit it")


@pytest.mark.parametrize("value", [1, 10, False, "3"])
def test_what_is_out_of_bounds_is_refused_with_both(value):
    with pytest.raises(InvalidArgumentError, match="^limit must be a whole number from 2 to 9$"):
        whole_number(value, "limit", least=2, most=9)


@pytest.mark.parametrize(("value", "seconds"), [(1, 1), (60.0, 60), (timedelta(days=90), 7_776_000)])
def test_an_sla_in_seconds_or_as_a_timedelta(value, seconds):
    assert sla_seconds(value) == seconds
