"""The part of one process without Redis: pure, in simulated time."""

from __future__ import annotations

import heapq
import math
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from vendor import FixedWindow

from persona_cases.limits import Feedback, WindowReading
from persona_cases.protocol.window import RateWindow
from persona_cases.testing import RateLimit
from persona_cases.transport.limits.redis.redis_messages import Known
from persona_cases.transport.limits.redis.redis_share import Share


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def run(shares: list[Share], server: FixedWindow, clock: Now, wants: list[int], random) -> tuple[int, int]:
    """Let every process send all it wants as early as it may; return how many were answered and refused."""
    answered = refused = 0
    order, events = count(), []
    for number in range(len(shares)):
        heapq.heappush(events, (random.uniform(0, 20), next(order), "wake", number, 0.0))
    while events and clock.now < 1000:
        clock.now, _, kind, number, departed = heapq.heappop(events)
        share = shares[number]
        if kind == "reach":
            state = server.spend()
            answered, refused = answered + state.allowed, refused + (not state.allowed)
            reading = WindowReading(state.limit, state.remaining, state.reset)
            share.settle(
                clock.now, departed, Feedback(reading=reading, answered=state.allowed, refused=not state.allowed)
            )
            heapq.heappush(events, (clock.now, next(order), "wake", number, 0.0))
            continue
        delay = share.delay(clock.now)
        if wants[number] and delay <= 0:
            wants[number] -= 1
            share.depart(clock.now)
            heapq.heappush(events, (clock.now + random.uniform(0.01, 0.4), next(order), "reach", number, clock.now))
            heapq.heappush(events, (clock.now, next(order), "wake", number, 0.0))
        elif wants[number]:
            heapq.heappush(events, (clock.now + min(max(delay, 0.05), 1.0), next(order), "wake", number, 0.0))
    return answered, refused


@given(
    limit=st.integers(8, 60),
    processes=st.integers(1, 6),
    used=st.integers(0, 60),
    stale=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_all_parts_together_are_never_refused(limit, processes, used, stale, random):
    clock = Now()
    server = FixedWindow(RateLimit(limit, 60.0), clock)
    # What was used before they lost each other; some may have missed the last of it.
    left, ends_in = limit, None
    for _ in range(min(used, limit - 2 * processes)):
        left, ends_in = server.spend().remaining, 60_000
    if stale:
        left = limit
    known = Known(processes=processes, limit=limit, left=left, cooling=0, ends_in=ends_in)
    shares = [Share.of(known, RateWindow(limit=limit, period=60.0), 0, 0.0) for _ in range(processes)]
    wants = [random.randint(0, limit) for _ in range(processes)]
    total = sum(wants)
    answered, refused = run(shares, server, clock, wants, random)
    assert refused == 0
    assert answered == total


def share_of(limit=20, processes=4, *, left=None, reserve=0, in_flight=0):
    known = Known(
        processes=processes,
        limit=limit,
        left=limit if left is None else left,
        cooling=0,
        ends_in=None if left is None else 30_000,
    )
    return Share.of(known, RateWindow(limit=300, period=60.0, reserve=reserve), in_flight, 0.0)


def told(remaining):
    return Feedback(reading=WindowReading(20, remaining, 30), answered=True)


def test_a_request_that_was_not_sent_costs_nothing():
    share = share_of()
    share.depart(0.0)
    share.settle(0.1, 0.0, Feedback(sent=False))
    state = share.state(0.1, waiting=0)
    assert (state.limit, state.remaining, state.in_flight, state.shared) == (5, 1, 0, False)
    assert share.unseen(0.1) == 0


def test_the_reserve_is_nobodys_part():
    assert share_of(reserve=8).part == 3
    assert share_of(reserve=19).part == 1
    assert math.isfinite(share_of().delay(0.0))


def test_of_a_window_in_use_it_is_a_part_of_what_the_first_response_says_is_left():
    share = share_of(left=16)
    assert share.delay(0.0) == 0
    share.depart(0.0)
    assert share.delay(0.0) > 0
    share.settle(0.1, 0.0, told(9))
    assert share.state(0.1, waiting=0).remaining == 2


def test_with_nothing_left_nothing_is_sent():
    assert 30 <= share_of(left=0).delay(0.0) < 30.01
    assert share_of(left=3).delay(0.0) > 0


def test_what_it_knows_goes_back_to_redis():
    share = share_of(left=16)
    share.depart(0.0)
    share.settle(0.1, 0.0, told(9))
    share.depart(1.0)
    assert share.known(2.0) == Known(processes=4, limit=20, left=9, cooling=0, ends_in=28_001)
    assert share.unseen(2.0) == 1
    assert share.unseen(60.1) == 0


def test_a_pause_outlives_redis():
    known = Known(processes=4, limit=20, left=20, cooling=40_000)
    share = Share.of(known, RateWindow(limit=20, period=60.0), 0, 100.0)
    assert share.delay(100.0) == 40.0
    assert share.known(110.0).cooling == 30_000


def test_what_is_known_grows_old():
    known = Known(processes=4, limit=20, left=7, cooling=1500, ends_in=4000)
    assert known.after(1.0) == Known(processes=4, limit=20, left=7, cooling=500, ends_in=3000)
    assert known.after(4.0) == Known(processes=4, limit=20, left=20, cooling=0)
