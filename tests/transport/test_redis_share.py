"""The part of one process without Redis, and the clock of the shared value: pure, in simulated time."""

from __future__ import annotations

import heapq
import math
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.testing.gates.rate_window import FixedWindow, RateLimit
from persona_cases.transport.limits.redis.redis_share import Share
from persona_cases.transport.limits.redis.redis_state import Member, SharedState, decode, encode


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
            share.end(clock.now, departed, Feedback(reading=reading, answered=state.allowed, refused=not state.allowed))
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


@settings(max_examples=150)
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
    known = RateWindow(limit, 60.0)
    # What was used before they lost each other; some may have missed the last of it.
    for _ in range(min(used, limit - 2 * processes)):
        known.depart(0.0)
        state = server.spend()
        reading = WindowReading(state.limit, state.remaining, state.reset)
        if not stale:
            known.settle(0.0, 0.0, Feedback(reading=reading, answered=True))
        else:
            known.in_flight -= 1
    shares = [Share.of(decode_copy(known), processes, 0, 0.0) for _ in range(processes)]
    wants = [random.randint(0, limit) for _ in range(processes)]
    total = sum(wants)
    answered, refused = run(shares, server, clock, wants, random)
    assert refused == 0
    assert answered == total


def decode_copy(window: RateWindow) -> RateWindow:
    """The window as it comes out of Redis."""
    state = decode(encode(SharedState(window)), 0.0)
    assert state is not None
    return state.window


def test_what_comes_out_of_redis_is_what_went_in():
    window = RateWindow(20, 60.0, reserve=3)
    for number in range(5):
        window.depart(number)
    window.settle(5.5, 0.0, Feedback(reading=WindowReading(20, 19, 57), answered=True))
    window.settle(6.0, 1.0, Feedback(reading=WindowReading(20, 0, 57), answered=True, refused=True))
    state = SharedState(window, {"a": Member(6.0, {"1": 2.0, "2": 3.0}), "b": Member(6.0, {}, 1, 9.0)}, 6.0, 1.5)
    assert decode(encode(state), 6.0) == state


def test_a_server_whose_clock_is_set_back_stops_nobody():
    state = SharedState(RateWindow(20, 60.0))
    assert state.now(1_000_000.0) == 1_000_000.0
    assert state.now(1_000_000.0 - 3600) == 1_000_000.0
    assert state.now(1_000_010.0 - 3600) == 1_000_010.0


def test_a_request_that_was_not_sent_costs_nothing():
    share = Share.of(RateWindow(20, 60.0), 4, 0, 0.0)
    share.depart(0.0)
    share.end(0.1, 0.0, Feedback(sent=False))
    assert (share.remaining, share.used, share.window.in_flight) == (1, 0, 0)
    assert share.uncounted(0.1) == 0


def test_the_reserve_is_nobodys_part():
    assert Share.of(RateWindow(20, 60.0, reserve=8), 4, 0, 0.0).part == 3
    assert Share.of(RateWindow(20, 60.0, reserve=19), 4, 0, 0.0).part == 1
    assert math.isfinite(Share.of(RateWindow(20, 60.0), 4, 0, 0.0).delay(0.0))
