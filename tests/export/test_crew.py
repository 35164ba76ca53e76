"""How many walkers an export gets."""

from __future__ import annotations

import pytest

from persona_cases.export.crew import MOST_WALKERS, WORTH_WAITING, Crew
from persona_cases.testing import Simulator
from persona_cases.transport.limiter import LimiterState

# What other tests do without.
kept_waiting = Crew._kept_waiting


@pytest.fixture(autouse=True)
def several_walkers(monkeypatch):
    monkeypatch.setattr(Crew, "_kept_waiting", kept_waiting)


def limit(remaining, requests=300):
    return LimiterState(
        limit=requests,
        remaining=remaining,
        in_flight=0,
        waiting=0,
        reserve=0,
        resets_in=60.0,
        cooling_for=0.0,
        shared=False,
    )


@pytest.mark.parametrize(
    ("waiting", "size"),
    [(0.0, 1), (-0.001, 1), (WORTH_WAITING, 1), (WORTH_WAITING * 3.5, 3), (0.05, 25), (1.0, MOST_WALKERS)],
)
def test_there_are_as_many_walkers_as_find_time_to_walk(waiting, size):
    crew = Crew()
    crew.observe(waiting + 0.004, 0.004)
    crew.grow(1_000, 200, None, first=False)
    assert crew.size == size


def test_what_counts_is_the_quickest_page():
    crew = Crew()
    for seconds in (0.3, 0.012, 0.1):
        crew.observe(seconds, 0.002)
    crew.grow(1_000, 200, None, first=False)
    assert crew.size == 5


def test_more_work_than_the_limit_feeds_gets_no_more_walkers():
    crew = Crew()
    crew.observe(0.15, 0.0)
    crew.grow(1_000, 200, limit(100), first=False)
    assert crew.size == 4
    crew.grow(50, 10, limit(100), first=False)
    assert crew.size == 10


@pytest.mark.parametrize(("latency", "several"), [(0.0, False), (0.05, True)])
async def test_a_server_nearby_is_asked_by_one_walker(make_client, tmp_path, latency, several):
    async with Simulator(cases=3_000, latency=latency) as sim:
        done = await make_client(sim).cases.export(to=tmp_path / "cases.jsonl")
    assert (len(done.walkers) > 1) == several
    assert done.cases == 3_000
