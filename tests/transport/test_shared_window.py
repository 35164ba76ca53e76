"""The window that processes share: the script of the Redis limiter in virtual time, without Redis."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from virtual_redis import SharedWindow

from persona_cases.limits import Feedback, WindowReading

# The vendor in virtual time serves the tests of the window for one process too.
sys.path.append(str(Path(__file__).parents[1] / "protocol"))

from virtual_window import Counter, Server, World, within

ROUNDINGS = st.sampled_from([math.floor, math.ceil, round])
PERIODS = st.sampled_from([1.0, 1.5, 2.0, 3.0, 6.0, 6.6, 10.0, 60.0])
LATENCIES = st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.45])
LIMITS, WINDOWS, PROCESSES, SEEDS = st.integers(1, 30), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32)
FEW = settings(max_examples=12, deadline=None)


def as_told(period, rounding):
    """What a server that rounds down tells of 6.6 seconds and one that rounds up tells of 6 are the same numbers."""
    return float(math.ceil(period)) if rounding is math.floor else period


@FEW
@given(LIMITS, PERIODS, ROUNDINGS, WINDOWS, LATENCIES, PROCESSES, st.booleans(), SEEDS)
def test_alone_they_are_never_refused_and_wait_little_longer_than_they_must(
    limit, period, rounding, windows, slowest, processes, configured, seed
):
    period = as_told(period, rounding)
    window = SharedWindow(*((limit, period) if configured else (300, 60.0)), processes=processes, seed=seed)
    world = World(window, Server([Counter(limit, period, rounding)]), within(slowest, seed))
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    assert elapsed <= (windows - 1) * (period + 2.01) + 6 * slowest * windows


@FEW
@given(LIMITS, PERIODS, ROUNDINGS, WINDOWS, LATENCIES, PROCESSES, st.sampled_from([0.05, 0.2, 0.6]), SEEDS)
def test_lost_requests_responses_and_headers_cause_no_refusal(
    limit, period, rounding, windows, slowest, processes, lost, seed
):
    period, random = as_told(period, rounding), Random(seed)
    world = World(
        SharedWindow(limit, period, processes=processes, seed=seed),
        Server([Counter(limit, period, rounding)]),
        within(slowest, seed),
        lambda: random.choice(["request", "answer", "headers"]) if random.random() < lost else "",
    )
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    assert elapsed <= windows * 2 * (period + 2.0) + 60


@FEW
@given(st.integers(2, 30), PERIODS, ROUNDINGS, WINDOWS, LATENCIES, st.floats(0.3, 1.0), SEEDS)
@example(2, 1.0, math.floor, 3, 0.45, 0.3125, 478686)
def test_windows_that_outlast_the_configured_period_cost_one_refusal_at_most(
    limit, period, rounding, windows, slowest, part, seed
):
    window = SharedWindow(300, part * period, processes=3, seed=seed)
    world = World(window, Server([Counter(limit, period, rounding)]), within(slowest, seed))
    world.run(limit * windows)
    # Whole seconds say too little about a window that ends after a few responses: each may cost one.
    assert world.refused <= (1 if period > 6 * slowest else windows)


# The window of the key ends, and opens again, while the numbers told are those of the environment.
@example(key=3, more=1, period=6.0, rounding=math.ceil, windows=2, slowest=0.45, ahead=0.375, used=1.0, seed=1)
@FEW
@given(
    key=st.integers(2, 30),
    more=st.integers(1, 40),
    period=st.sampled_from([6.0, 10.0, 60.0]),
    rounding=ROUNDINGS,
    windows=WINDOWS,
    slowest=LATENCIES,
    ahead=st.floats(0.1, 0.9),
    used=st.floats(0, 1),
    seed=SEEDS,
)
def test_limits_of_key_and_environment_told_in_turn_are_both_kept(
    key, more, period, rounding, windows, slowest, ahead, used, seed
):
    environment = Counter(key + more, period, rounding)
    environment.roll(-ahead * period)
    environment.used = int(used * (environment.limit - 1))
    server = Server([Counter(key, period, rounding), environment])
    world = World(SharedWindow(300, 60.0, processes=2, seed=seed), server, within(slowest, seed))
    elapsed = world.run(key * windows)
    assert world.refused == 0
    assert elapsed <= (windows + 1) * (period + 2.0) + 6 * slowest * windows


@pytest.mark.parametrize(("limit", "period", "runs"), [(60, 6.0, 4), (300, 60.0, 1)])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_with_other_programs_in_the_window_few_are_refused(share, limit, period, runs):
    refused = requests = 0
    for seed in range(runs):
        random, counter = Random(seed), Counter(limit, period, math.ceil)
        pace = limit / 10, limit / (period / 10)
        window = SharedWindow(limit, period, processes=2, seed=seed)
        world = World(window, Server([counter]), lambda random=random: random.uniform(0.05, 0.1), pace=pace)
        time = 0.0
        while time < 20 * period:
            time += random.expovariate(limit * share / period)
            world.at(time, lambda world=world: world.server.answer(world.now))
        requests += int(limit * (1 - share) * 6)
        world.run(int(limit * (1 - share) * 6))
        refused += world.refused
    assert refused <= 0.02 * requests


@FEW
@given(LIMITS, PERIODS, WINDOWS, LATENCIES, PROCESSES, SEEDS)
def test_a_clock_of_redis_that_is_set_back_costs_no_refusal_and_a_window_at_most(
    limit, period, windows, slowest, processes, seed
):
    window, random = SharedWindow(limit, period, processes=processes, seed=seed), Random(seed)

    times = 0

    def set_back(_: World) -> None:
        nonlocal times
        if random.random() < 0.02:
            window.redis.behind += random.uniform(0, 600)
            times += 1

    server = Server([Counter(limit, period, math.ceil)])
    world = World(window, server, within(slowest, seed), each_event=set_back)
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    assert elapsed <= (windows - 1 + times) * (period + 2.01) + 6 * slowest * windows


@FEW
@given(st.integers(4, 30), PERIODS, WINDOWS, LATENCIES, SEEDS)
def test_redis_that_loses_its_data_does_not_lead_one_process_past_the_limit(limit, period, windows, slowest, seed):
    window, random = SharedWindow(limit, period, seed=seed), Random(seed)

    def lose(_: World) -> None:
        if random.random() < 0.05:
            window.redis.value = None

    world = World(window, Server([Counter(limit, period, math.ceil)]), within(slowest, seed), each_event=lose)
    world.run(limit * windows)
    assert world.refused == 0


# ---- single steps ----------------------------------------------------------------------------------------------------


def told(remaining, *, limit=20, reset=60, **more):
    return Feedback(reading=WindowReading(limit, remaining, reset), answered=True, **more)


def window_of(*names, limit=20, **settings):
    """A window of whose numbers all these processes have heard."""
    window = SharedWindow(limit, 60.0, **settings)
    for name in names:
        window.send(0.0, name, told(limit - 1))
    return window


def test_after_a_loss_the_parts_of_those_who_have_not_reported_are_left_to_them():
    window = window_of("one", "two", "three", "one")
    window.redis.value = None
    window.send(1.0, "one", told(14))
    # Two others may have their parts in flight, six requests each.
    assert [window.report(1.0, "one", wants=True).go for _ in range(2)] == [True, True]
    window.in_flight["one"] = 2
    assert not window.report(1.0, "one", wants=True).go
    window.report(1.0, "two")
    assert not window.report(1.0, "one", wants=True).go
    # The second report of a process shows that it heard the answer to the first.
    window.report(1.0, "two")
    assert window.report(1.0, "one", wants=True).go


def test_their_parts_are_free_when_they_must_have_reported():
    window = window_of("one", "two", "three", "one")
    window.redis.value = None
    window.send(1.0, "one", told(8))
    assert not window.report(2.0, "one", wants=True).go
    assert window.report(9.0, "one", wants=True).go


def test_what_a_silent_process_had_in_flight_is_given_up_and_may_have_counted():
    window = window_of("one", lease=5.0)
    for _ in range(3):
        assert window.report(1.0, "one", wants=True).go
        window.in_flight["one"] += 1
    assert window.report(5.9, "two").others == 3
    answer = window.report(6.1, "two")
    assert (answer.others, answer.left) == (0, 16)


def test_the_numbers_of_a_request_that_a_lost_state_let_go_are_not_believed():
    window = window_of("one")
    before = window.report(1.0, "one", wants=True)
    window.redis.value = None
    window.report(2.0, "one")
    answer = window.report(3.0, "one", endings=[(before.born, before.clock, told(17))])
    assert answer.left == 18


def test_what_was_sent_during_an_outage_counts_even_if_all_are_back_in_the_same_millisecond():
    window = window_of("one", "two")
    assert window.report(5.0, "one", outage=1000, unseen=3).left == 19
    assert window.report(5.0, "two", outage=1000, unseen=7).left == 12


def test_a_report_that_a_frozen_redis_runs_late_is_no_sign_of_life():
    window = window_of("one", "two")
    window.report(5.0, "two", is_heard=False)
    answer = window.report(5.1, "one", outage=1000)
    assert answer.born == answer.clock


def test_who_went_on_during_an_outage_of_others_knows_better():
    window = window_of("one", "two")
    window.report(4.9, "two")
    window.report(5.0, "two")
    assert window.report(5.1, "one", outage=1000, unseen=2).born < window.report(5.1, "two").clock - 1000


def test_a_refusal_without_numbers_waits_longer_each_time():
    window, now, waits = window_of("one"), 100.0, []
    for _ in range(5):
        answer = window.send(now, "one", Feedback(answered=True, refused=True))
        waits.append(answer.cooling / 1000)
        now += answer.cooling / 1000
    assert waits == [5, 10, 20, 40, 40]


def test_an_advised_wait_is_believed_once():
    window = window_of("one")
    advised = Feedback(answered=True, refused=True, retry_after=2.5)
    assert window.send(100.0, "one", advised).cooling == 2500
    assert window.send(103.0, "one", advised).cooling == 10_000


def test_a_success_ends_the_row_of_refusals_but_not_the_pause():
    window = window_of("one")
    refused = Feedback(answered=True, refused=True)
    first, second = (window.report(1.0, "one", wants=True) for _ in range(2))
    window.report(1.0, "one", endings=[(first.born, first.clock, refused)])
    answer = window.report(2.0, "one", endings=[(second.born, second.clock, told(15))])
    assert answer.cooling == 4000
    assert window.send(7.0, "one", refused).cooling == 5000


def test_the_reserve_is_left_in_each_window():
    window = window_of("one", reserve=18)
    assert window.send(1.0, "one", told(18)).wait > 50_000
