import math
from collections.abc import Callable
from itertools import count
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_window import Counter, Server, World, within

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow

ROUNDINGS = st.sampled_from([math.floor, math.ceil, round])
SEEDS = st.integers(0, 2**32)
# A clock begins anywhere: at the boot of the machine, or in 1970. Binary fractions keep the sums exact.
STARTS = st.sampled_from([0.0, 1.0, 4096.5, 1_000_000.25])


def whole_if_rounded_down(period: float, rounding: Callable[[float], int]) -> float:
    """What a server that rounds down tells of 6.6 seconds and one that rounds up tells of 6 are the same numbers."""
    return float(math.ceil(period)) if rounding is math.floor else period


PERIODS = st.sampled_from([1.0, 1.5, 2.0, 3.0, 6.0, 6.6, 10.0, 60.0])
LATENCIES = st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.45])


@given(
    limit=st.integers(1, 40),
    period=PERIODS,
    rounding=ROUNDINGS,
    windows=st.integers(1, 6),
    slowest=LATENCIES,
    configured=st.booleans(),
    seed=SEEDS,
    began=STARTS,
)
def test_alone_it_is_never_refused_and_waits_little_longer_than_it_must(
    limit, period, rounding, windows, slowest, configured, seed, began
):
    period = whole_if_rounded_down(period, rounding)
    window = RateWindow(limit=limit, period=period) if configured else RateWindow(limit=300, period=60.0)
    world = World(window, Server([Counter(limit, period, rounding)]), within(slowest, seed), began=began)
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    # The end of a window is known to a second for either rounding, and each window begins and ends with an answer.
    assert elapsed <= (windows - 1) * (period + 2.0) + 6 * slowest * windows


@given(
    limit=st.integers(5, 60),
    period=st.sampled_from([5.0, 6.0, 10.0]),
    rounding=ROUNDINGS,
    windows=st.integers(3, 8),
    slowest=st.sampled_from([0.01, 0.05]),
    seed=SEEDS,
    began=STARTS,
)
def test_the_length_of_short_windows_is_learned(limit, period, rounding, windows, slowest, seed, began):
    world = World(
        RateWindow(limit=300, period=60.0),
        Server([Counter(limit, period, rounding)]),
        within(slowest, seed),
        began=began,
    )
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    # A round trip is the most that the first window's end is off by, and all that another window costs besides.
    assert elapsed <= (windows - 1) * period + 10 * slowest * windows + 1.0


@given(
    limit=st.integers(2, 40),
    period=st.floats(1.0, 30.0),
    windows=st.integers(1, 6),
    slowest=LATENCIES,
    seed=SEEDS,
    began=STARTS,
)
def test_parts_of_seconds_rounded_down_cost_one_refusal_at_most(limit, period, windows, slowest, seed, began):
    world = World(
        RateWindow(limit=300, period=60.0),
        Server([Counter(limit, period, math.floor)]),
        within(slowest, seed),
        began=began,
    )
    world.run(limit * windows)
    assert world.refused <= 1


@given(
    limit=st.integers(1, 40),
    period=PERIODS,
    rounding=ROUNDINGS,
    windows=st.integers(1, 5),
    slowest=LATENCIES,
    lost=st.sampled_from([0.05, 0.2, 0.6]),
    seed=SEEDS,
    began=STARTS,
)
def test_lost_requests_answers_and_headers_cause_no_refusal(
    limit, period, rounding, windows, slowest, lost, seed, began
):
    random = Random(seed)
    world = World(
        RateWindow(limit=limit, period=period),
        Server([Counter(limit, period, rounding)]),
        within(slowest, seed),
        lambda: random.choice(["request", "answer", "headers"]) if random.random() < lost else "",
        began=began,
    )
    elapsed = world.run(limit * windows)
    assert world.refused == 0
    assert elapsed <= windows * 2 * (period + 2.0) + 60


@given(
    key=st.integers(2, 40),
    more=st.integers(1, 40),
    period=st.sampled_from([6.0, 10.0, 60.0]),
    rounding=ROUNDINGS,
    windows=st.integers(1, 6),
    slowest=LATENCIES,
    ahead=st.floats(0.1, 0.9),
    used=st.floats(0, 1),
    seed=SEEDS,
    began=STARTS,
)
def test_limits_of_key_and_environment_told_in_turn_are_both_kept(
    key, more, period, rounding, windows, slowest, ahead, used, seed, began
):
    environment = Counter(key + more, period, rounding)
    environment.roll(began - ahead * period)
    environment.used = int(used * (environment.limit - 1))
    server = Server([Counter(key, period, rounding), environment])
    world = World(RateWindow(limit=300, period=60.0), server, within(slowest, seed), began=began)
    elapsed = world.run(key * windows)
    assert world.refused == 0
    # The windows of the two begin at different times: what the one still allows, the other may not.
    assert elapsed <= (windows + 1) * (period + 2.0) + 6 * slowest * windows


@pytest.mark.parametrize("evenly", [True, False])
@pytest.mark.parametrize("slowest", [0.02, 0.1])
@pytest.mark.parametrize(("limit", "period"), [(60, 6.0), (300, 60.0)])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_with_strangers_in_the_window_few_are_refused_and_nothing_is_left_unused(share, limit, period, slowest, evenly):
    refused = requests = 0
    for seed in range(8):
        began = (0.0, 1_000_000.25)[seed % 2]
        world, counter = with_strangers(limit, period, share, slowest, Random(seed), evenly=evenly, began=began)
        requests += int(limit * (1 - share) * 6)
        world.run(int(limit * (1 - share) * 6))
        refused += world.refused
        assert min(counter.windows[:-1]) >= 0.9 * limit
    assert refused <= 0.01 * requests


def with_strangers(
    limit: int, period: float, share: float, slowest: float, random: Random, *, evenly: bool, began: float
) -> tuple[World, Counter]:
    """A world in which others use up a share of each window, and requests leave at the pace of a limiter."""
    counter = Counter(limit, period, math.ceil)
    pace = limit / 10, limit / (period / 10)
    world = World(
        RateWindow(limit=300, period=60.0),
        Server([counter]),
        lambda: random.uniform(0.5, 1) * slowest,
        pace=pace,
        began=began,
    )
    rate, time = limit * share / period, began
    while time < began + 20 * period:
        time += 1 / rate if evenly else random.expovariate(rate)
        world.at(time, lambda: world.server.answer(world.now))
    return world, counter


@given(
    limit=st.integers(2, 30),
    slowest=LATENCIES,
    refusals=st.sets(st.integers(0, 60), max_size=6),
    told=st.booleans(),
    seed=SEEDS,
)
def test_nobody_leaves_before_the_latest_cool_down_ends(limit, slowest, refusals, told, seed):
    window, random, ends = RateWindow(limit=limit, period=10.0), Random(seed), [0.0]
    numbers = count()

    def refuse_some(world: World) -> None:
        if world.in_flight and next(numbers) in refusals:
            world.in_flight += 1
            window.depart(world.now)
            reset = random.randint(0, 10)
            window.settle(
                world.now,
                world.now,
                Feedback(reading=WindowReading(limit, 0, reset) if told else None, answered=True, refused=True),
            )
            world.in_flight -= 1
            ends.append(world.now + (reset if told else 5.0))
            cooling.append((world.now, max(ends)))

    cooling: list[tuple[float, float]] = []
    world = World(window, Server([Counter(limit, 10.0, math.ceil)]), within(slowest, seed), each_event=refuse_some)
    world.run(limit * 2)
    for began, ended in cooling:
        assert not [time for time in world.departures if began < time < ended]


@given(
    limit=st.integers(1, 30),
    period=PERIODS,
    rounding=ROUNDINGS,
    slowest=LATENCIES,
    lost=st.sampled_from([0.0, 0.3]),
    seed=SEEDS,
)
def test_written_as_json_and_read_back_at_any_moment_it_is_the_same(limit, period, rounding, slowest, lost, seed):
    def run(*, copied: bool) -> tuple[list[float], RateWindow]:
        def copy(world: World) -> None:
            before = world.window
            world.window = msgspec.json.decode(msgspec.json.encode(before), type=RateWindow)
            assert world.window == before

        random = Random(seed)
        world = World(
            RateWindow(limit=300, period=60.0),
            Server([Counter(limit, period, rounding), Counter(limit + 3, period, rounding)]),
            within(slowest, seed),
            lambda: random.choice(["answer", "headers"]) if random.random() < lost else "",
            each_event=copy if copied else lambda _: None,
        )
        world.run(limit * 2)
        return world.departures, world.window

    assert run(copied=True) == run(copied=False)


@given(
    readings=st.lists(
        st.builds(
            WindowReading,
            limit=st.one_of(st.integers(0, 50), st.just(10**9)),
            remaining=st.one_of(st.integers(0, 60), st.just(10**9)),
            reset=st.one_of(st.integers(0, 70), st.just(10**9)),
        ),
        max_size=20,
    ),
    seed=SEEDS,
)
def test_absurd_numbers_neither_stop_it_nor_break_it(readings, seed):
    window, random, now = RateWindow(limit=300, period=60.0), Random(seed), 0.0
    for reading in readings:
        window.advance(now)
        delay = window.delay(now)
        assert 0 <= delay <= 3601, "nothing is in flight, so no answer can be awaited"
        now += delay
        departed, now = now, now + random.uniform(0, 1)
        window.depart(departed)
        if random.random() < 0.2:
            window.settle(now, departed, Feedback(reading=reading, answered=True, refused=True))
        else:
            window.settle(now, departed, Feedback(reading=reading, answered=True))
        assert window.limit >= 1
        assert 0 <= window.remaining <= window.limit
        assert window.in_flight == 0
