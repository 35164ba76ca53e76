"""The model of the rate limit, against a model of the server in simulated time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases.protocol.quota import WindowReading
from persona_cases.protocol.window import RateWindow


@attrs.define
class Server:
    """A fixed window that starts with its first request, as the vendor describes it."""

    limit: int
    period: float
    rounding: Callable[[float], int]
    started: float = -math.inf
    used: int = 0
    refused: int = 0

    def answer(self, now: float) -> tuple[bool, WindowReading]:
        if now >= self.started + self.period:
            self.started, self.used = now, 0
        allowed = self.used < self.limit
        self.used += allowed
        self.refused += not allowed
        reset = self.rounding(round(self.started + self.period - now, 6))
        return allowed, WindowReading(self.limit, self.limit - self.used, max(0, reset))


def drive(window: RateWindow, server: Server, requests: int, latency: Callable[[], float]) -> float:
    """Send so many requests as early as the window allows; return the time that it took."""
    now, sent, done, order = 0.0, 0, 0, count()
    events: list[tuple[float, int, Callable[[], None]]] = []

    def send() -> None:
        departed = now
        window.depart(now)
        heapq.heappush(events, (now + latency(), next(order), lambda: reach(departed)))

    def reach(departed: float) -> None:
        allowed, reading = server.answer(now)
        heapq.heappush(events, (now + latency(), next(order), lambda: hear(departed, allowed, reading)))

    def hear(departed: float, allowed: bool, reading: WindowReading) -> None:
        nonlocal done, sent
        if allowed:
            window.arrive(now, departed, reading, answered=True)
            done += 1
        else:
            window.refuse(now, departed, reading)
            sent -= 1

    while done < requests:
        delay = window.delay(now) if sent < requests else math.inf
        if delay == 0:
            sent += 1
            send()
            continue
        assert events or delay < math.inf, "nobody would ever wake up"
        if events and events[0][0] <= now + delay:
            now, _, event = heapq.heappop(events)
            event()
        else:
            now += delay
    return now


@settings(max_examples=150)
@given(
    limit=st.integers(1, 40),
    period=st.sampled_from([1.0, 3.0, 10.0, 60.0]),
    rounding=st.sampled_from([math.floor, math.ceil, round]),
    windows=st.integers(1, 4),
    random=st.randoms(use_true_random=False),
    slowest=st.sampled_from([0.0, 0.01, 0.2, 0.45]),
)
def test_alone_it_is_never_refused(limit, period, rounding, windows, random, slowest):
    server = Server(limit, period, rounding)
    window = RateWindow(300, 60.0)
    drive(window, server, limit * windows, lambda: random.uniform(0, slowest))
    assert server.refused == 0


@settings(max_examples=60)
@given(
    limit=st.integers(5, 40),
    rounding=st.sampled_from([math.floor, math.ceil]),
    windows=st.integers(2, 4),
)
def test_the_whole_budget_of_every_window_is_used(limit, rounding, windows):
    server = Server(limit, 60.0, rounding)
    elapsed = drive(RateWindow(300, 60.0), server, limit * windows, lambda: 0.01)
    # One round trip to learn the numbers, one to hear the last of them, and the window itself.
    assert elapsed <= (windows - 1) * 60.1 + 0.1 * windows


def test_with_strangers_on_the_key_it_recovers_without_a_storm():
    server = Server(20, 10.0, math.ceil)
    server.answer(0.0)
    server.used = 18
    window = RateWindow(300, 60.0)
    drive(window, server, 30, lambda: 0.05)
    assert server.refused <= 1


def test_before_the_first_answer_a_single_request_scouts():
    window = RateWindow(300, 60.0)
    assert window.delay(0.0) == 0
    window.depart(0.0)
    assert 0 < window.delay(0.0) <= 1
    window.arrive(0.1, 0.0, WindowReading(60, 59, 3), answered=True)
    for _ in range(59):
        assert window.delay(0.2) == 0
        window.depart(0.2)
    assert window.delay(0.2) > 0


def test_a_scout_that_hangs_does_not_hold_the_others_for_long():
    window = RateWindow(300, 60.0)
    window.depart(0.0)
    assert window.delay(0.5) == 0.5
    assert window.delay(1.0) == 0


def test_a_refusal_holds_for_all_and_no_success_lifts_it():
    window = RateWindow(300, 60.0)
    window.depart(0.0)
    window.arrive(0.1, 0.0, WindowReading(300, 100, 30), answered=True)
    window.depart(0.2)
    window.depart(0.2)
    window.refuse(0.3, 0.2, WindowReading(300, 0, 30))
    window.arrive(0.4, 0.2, WindowReading(300, 50, 30), answered=True)
    assert window.delay(0.5) == pytest.approx(30.8)
    assert window.delay(31.4) == 0


def test_the_longer_of_two_refusals_counts():
    window = RateWindow(300, 60.0)
    for _ in range(2):
        window.depart(0.0)
    window.refuse(0.1, 0.0, WindowReading(300, 0, 50))
    window.refuse(0.1, 0.0, WindowReading(300, 0, 5))
    assert window.delay(0.1) == pytest.approx(51)


def test_refusals_that_do_not_say_how_long_back_off_as_the_vendor_advises():
    window, waits = RateWindow(300, 60.0), []
    now = 0.0
    for _ in range(6):
        window.depart(now)
        window.refuse(now, now, None)
        waits.append(window.delay(now))
        now += waits[-1]
    assert waits == [5, 10, 20, 40, 40, 40]


def test_after_a_refusal_a_single_request_scouts_again():
    window = RateWindow(300, 60.0)
    window.depart(0.0)
    window.refuse(0.0, 0.0, WindowReading(300, 0, 5))
    assert window.delay(6.0) == 0
    window.depart(6.0)
    assert window.delay(6.0) > 0


def test_a_server_without_the_headers_is_taken_at_the_configured_limit():
    window = RateWindow(3, 10.0)
    for number in range(3):
        assert window.delay(number) == 0
        window.depart(number)
        window.arrive(number, number, None, answered=True)
    assert window.delay(3.0) == 7.0
    assert window.delay(10.0) == 0


def test_answers_that_overtake_each_other_do_not_raise_the_budget():
    window = RateWindow(300, 60.0)
    for _ in range(2):
        window.depart(0.0)
    window.arrive(0.2, 0.0, WindowReading(300, 10, 60), answered=True)
    window.arrive(0.3, 0.0, WindowReading(300, 11, 60), answered=True)
    assert window.remaining == 10


def test_it_tells_when_the_window_ends():
    window = RateWindow(300, 60.0)
    assert window.seconds_left(0.0) is None
    window.depart(0.0)
    window.arrive(1.0, 0.0, WindowReading(300, 299, 60), answered=True)
    assert window.seconds_left(11.0) == 50
