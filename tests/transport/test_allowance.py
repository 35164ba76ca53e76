"""How long requests take under a rate limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limiters import limiter_state as state

from persona_cases.transport.limits.allowance import Allowance, seconds_needed

MINUTE = Allowance(remaining=300, resets_in=60, limit=300, period=60)
pages = st.floats(0, 1e6)
speeds = st.floats(0.01, 1e3)
allowances = st.builds(
    Allowance,
    remaining=st.integers(0, 1000),
    resets_in=st.floats(0, 60),
    limit=st.integers(1, 1000),
    period=st.floats(1, 60),
)


@pytest.mark.parametrize(
    ("pages", "speed", "allowance", "seconds"),
    [
        (0, 50, MINUTE, 0),
        (100, 50, MINUTE, 2),
        (300, 50, MINUTE, 6),
        # The rest waits for the next window.
        (400, 50, MINUTE, 60 + 2),
        (3000, 50, MINUTE, 9 * 60 + 6),
        (3000, 50, Allowance(remaining=0, resets_in=30, limit=300, period=60), 30 + 9 * 60 + 6),
        # Too slow to use up a window.
        (3000, 2, MINUTE, 1500),
        (10, 1, Allowance(remaining=0, resets_in=7, limit=300, period=60), 17),
    ],
)
def test_what_is_left_takes_the_speed_and_the_windows(pages, speed, allowance, seconds):
    assert seconds_needed(pages, speed, allowance) == pytest.approx(seconds)


@given(pages, speeds, allowances)
def test_it_is_never_faster_than_the_speed(pages, speed, allowance):
    needed = seconds_needed(pages, speed, allowance)
    assert math.isfinite(needed)
    assert needed >= pages / speed * (1 - 1e-9)


@given(pages, speeds, allowances)
def test_it_is_never_faster_than_the_rate_limit(pages, speed, allowance):
    windows = math.floor(max(0.0, seconds_needed(pages, speed, allowance) - allowance.resets_in) / allowance.period) + 1
    assert pages <= (allowance.remaining + windows * allowance.limit) * (1 + 1e-9)


@given(pages, pages, speeds, allowances)
def test_more_pages_never_take_less_time(some, more, speed, allowance):
    few, many = sorted((some, more))
    assert seconds_needed(few, speed, allowance) <= seconds_needed(many, speed, allowance) * (1 + 1e-6) + 1e-6


@pytest.mark.parametrize(
    ("known", "allowance"),
    [
        ({}, (300, 60, 300)),
        ({"reserve": 100, "remaining": 40, "resets_in": 12.0}, (40, 12, 200)),
        ({"remaining": 40, "resets_in": 12.0, "cooling_for": 9.0}, (0, 9, 300)),
        ({"limit": 0, "remaining": 0, "resets_in": 12.0}, (0, 12, 1)),
    ],
)
def test_what_the_limiter_knows_is_what_it_allows(known, allowance):
    found = Allowance.of(state(**known), 60)
    assert (found.remaining, found.resets_in, found.limit) == allowance
