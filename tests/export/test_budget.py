"""Exports under a rate limit: as few requests as the windows allow, then as fast as the last window allows.

`PERSONA_BUDGET_SAMPLES=300 pytest tests/export/test_budget.py` tries that many random limits, latencies and sizes.
"""

from __future__ import annotations

import math
import os
import random

import pytest
from virtual_exports import export
from worlds import YEAR, moments_of

from persona_cases.export.ranges.fetcher_count import FetcherCount, spans_windows
from persona_cases.limits import LimiterState
from persona_cases.testing import RateLimit

SAMPLES = int(os.environ.get("PERSONA_BUDGET_SAMPLES", "10"))
SPAN = 2 * YEAR
SHAPES = {
    "even": lambda count: moments_of([(0, SPAN, count)]),
    "growing": lambda count: [int(SPAN * math.sqrt(index / count)) for index in range(count)],
    "fading": lambda count: [int(SPAN * (index / count) ** 1.5) for index in range(count)],
    "clustered": lambda count: moments_of([(0, SPAN, count // 10 + 1), (YEAR, SPAN // 100, count - count // 10 - 1)]),
}


def one_walk(pages: int, limit: RateLimit, latency: float) -> float:
    """How long one walk takes, which knows how many pages there are and needs no look."""
    full = (pages - 1) // limit.requests
    return full * max(limit.seconds, limit.requests * latency) + (pages - full * limit.requests) * latency


def many(moments: list[int], limit: RateLimit, latency: float, fetchers: int) -> float:
    """How long so many fetchers take, which do not know of the limit."""
    return export(moments, limit, latency, now=0, blind=fetchers).seconds


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_an_export_is_as_fast_as_one_walk_and_where_there_is_room_as_many(seed):
    draw = random.Random(seed)
    limit = RateLimit(draw.choice([20, 30, 60]), draw.choice([6.0, 60.0]))
    # From a tenth of a window for all of its requests to several windows.
    latency = limit.seconds / limit.requests * draw.choice([0.1, 0.3, 0.6, 0.8, 1.5, 4.0])
    pages = draw.randint(1, 3 * limit.requests)
    shape = draw.choice(sorted(SHAPES))
    moments = SHAPES[shape](pages * 100 - draw.choice([0, 1, 50]))
    done = export(moments, limit, latency, now=SPAN / 1000)
    alone = one_walk(pages, limit, latency)
    spare = -pages % limit.requests
    assert done.refused == 0
    # A look, a cut and a wrong guess may take a window more, but only if the last window was nearly full anyway.
    assert spare < 2 + pages / 10 or done.requests <= pages + spare
    full = limit.seconds if done.requests > pages + spare else 0
    assert done.seconds <= 1.1 * alone + full + 4 * latency
    # In a cluster, more seems to be left than the limit allows, so that one walk goes through it.
    if shape in {"even", "growing"} and spare > pages / 4:
        fastest = min(many(moments, limit, latency, fetchers) for fetchers in (4, 20))
        assert done.seconds <= 1.5 * fastest + 4 * latency


@pytest.mark.parametrize("shape", ["even", "fading"])
@pytest.mark.parametrize(("pages", "seconds"), [(300, 27.3), (299, 27.3), (290, 25.1), (250, 24.7), (241, 24.5)])
def test_one_walk_uses_up_the_windows_and_many_share_the_last(shape, pages, seconds):
    done = export(SHAPES[shape](pages * 100), RateLimit(60, 6.0), 0.05, now=SPAN / 1000)
    assert done.seconds <= seconds
    assert done.requests <= 300
    assert done.refused == 0


@pytest.mark.parametrize("pages", [290, 300])
def test_cases_that_end_long_ago_take_as_long_as_one_walk(pages):
    done = export(SHAPES["even"](pages * 100), RateLimit(60, 6.0), 0.05, now=2 * SPAN / 1000)
    assert done.requests == pages
    assert done.seconds <= one_walk(pages, RateLimit(60, 6.0), 0.05) * 1.02


# ---- the decision alone ----------------------------------------------------------------------------------------------


def state(remaining: int, limit: int = 300, resets_in: float | None = 60.0) -> LimiterState:
    return LimiterState(
        limit=limit,
        remaining=remaining,
        in_flight=0,
        waiting=0,
        reserve=0,
        resets_in=resets_in,
        cooling_for=0.0,
        shared=False,
    )


@pytest.mark.parametrize(
    ("latency", "pages_left", "remaining", "wanted"),
    [
        (0.1, 1_000, 300, 1),  # One fetcher sends 300 requests in 30 of 60 seconds.
        (0.19, 1_000, 300, 2),  # It would take 57 seconds: too near to the end of the window.
        (0.5, 1_000, 300, 3),
        (math.inf, 1_000, 300, 40),  # No page came yet.
        (0.1, 200, 300, 40),  # Everything fits into this window.
        (0.1, 280, 300, 6),  # 280 pages may be 294.
        (0.1, 290, 300, 1),
        (0.1, 20, 10, 1),  # The window ends before the work does.
    ],
)
def test_a_budget_decides_how_many_fetchers_there_are(latency, pages_left, remaining, wanted):
    fetchers = FetcherCount(worth_waiting=0)
    fetchers.observe(latency, 0.0)
    assert fetchers.wanted(pages_left, 40, state(remaining), first=False) == wanted


@pytest.mark.parametrize(
    ("pages_left", "limit", "spans"),
    [(1_000, None, False), (900, state(299), False), (901, state(299), True), (901, state(3, limit=1_000), False)],
)
def test_work_of_several_windows_needs_no_look_at_its_end(pages_left, limit, spans):
    assert spans_windows(pages_left, limit) == spans
