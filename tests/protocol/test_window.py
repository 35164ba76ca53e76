import math

import msgspec
import pytest

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.protocol.window_counter import WindowCounter


def answered(
    window: RateWindow, now: float, remaining: int, reset: int, *, limit: int = 300, took: float = 0.0
) -> None:
    window.depart(now - took)
    window.settle(now, now - took, Feedback(reading=WindowReading(limit, remaining, reset), answered=True))


def delay(window: RateWindow, now: float) -> float:
    window.advance(now)
    return window.delay(now)


def test_a_limit_of_a_billion_or_of_nothing_is_not_believed():
    window = RateWindow(limit=300, period=60.0)
    for limit, remaining, reset in ((10**9, 10**9, 60), (0, 0, 60), (300, 301, 60), (300, 0, 10**9)):
        answered(window, 0.0, remaining, reset, limit=limit)
    assert window.limit == 300
    assert window.remaining == 296


def test_an_absurd_reset_is_forgotten_when_the_next_answer_contradicts_it():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 299, 3000)
    answered(window, 1.0, 298, 59)
    assert window.seconds_left(1.0) == pytest.approx(60)


def test_before_the_first_answer_a_single_request_scouts():
    window = RateWindow(limit=300, period=60.0)
    assert delay(window, 0.0) == 0
    window.depart(0.0)
    assert 0 < delay(window, 0.0) <= 1
    window.settle(0.1, 0.0, Feedback(reading=WindowReading(60, 59, 3), answered=True))
    for _ in range(59):
        assert delay(window, 0.2) == 0
        window.depart(0.2)
    assert delay(window, 0.2) > 0


def test_a_scout_that_hangs_does_not_hold_the_others_for_long():
    window = RateWindow(limit=300, period=60.0)
    window.depart(0.0)
    assert delay(window, 0.5) == 0.5
    assert delay(window, 1.0) == 0


def test_with_a_limit_of_1_nobody_follows_a_scout_that_hangs():
    window = RateWindow(limit=1, period=60.0)
    window.depart(0.0)
    assert delay(window, 30.0) == math.inf


def test_a_refusal_holds_for_all_and_no_success_lifts_it():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.1, 100, 30, took=0.1)
    window.depart(0.2)
    window.depart(0.2)
    window.settle(0.3, 0.2, Feedback(reading=WindowReading(300, 0, 30), answered=True, refused=True))
    assert window.cooling_for(0.3) == 31
    window.settle(0.4, 0.2, Feedback(reading=WindowReading(300, 50, 30), answered=True))
    assert delay(window, 0.5) == pytest.approx(30.8)
    assert delay(window, 31.4) == 0


def test_the_longer_of_two_refusals_counts():
    window = RateWindow(limit=300, period=60.0)
    for _ in range(2):
        window.depart(0.0)
    window.settle(0.1, 0.0, Feedback(reading=WindowReading(300, 0, 50), answered=True, refused=True))
    window.settle(0.1, 0.0, Feedback(reading=WindowReading(300, 0, 5), answered=True, refused=True))
    assert delay(window, 0.1) == pytest.approx(51)


def test_refusals_that_do_not_say_how_long_back_off_as_the_vendor_advises():
    window, waits = RateWindow(limit=300, period=60.0), []
    now = 0.0
    for _ in range(6):
        window.depart(now)
        window.settle(now, now, Feedback(answered=True, refused=True))
        waits.append(delay(window, now))
        now += waits[-1]
    assert waits == [5, 10, 20, 40, 40, 40]


def test_after_a_refusal_a_single_request_scouts_again():
    window = RateWindow(limit=300, period=60.0)
    window.depart(0.0)
    window.settle(0.0, 0.0, Feedback(reading=WindowReading(300, 0, 5), answered=True, refused=True))
    assert delay(window, 6.1) == 0
    window.depart(6.1)
    assert delay(window, 6.1) > 0


def test_a_server_without_the_headers_is_taken_at_the_configured_limit_and_period():
    window = RateWindow(limit=3, period=10.0)
    for number in range(3):
        assert delay(window, number) == 0
        window.depart(number)
        window.settle(number, number, Feedback(answered=True))
    assert delay(window, 3.0) == pytest.approx(7.0)
    assert delay(window, 10.1) == 0
    for _ in range(3):
        assert delay(window, 10.1) == 0
        window.depart(10.1)
    assert delay(window, 10.1) > 0


def test_answers_that_overtake_each_other_do_not_raise_the_budget():
    window = RateWindow(limit=300, period=60.0)
    for _ in range(2):
        window.depart(0.0)
    window.settle(0.2, 0.0, Feedback(reading=WindowReading(300, 10, 60), answered=True))
    window.settle(0.3, 0.0, Feedback(reading=WindowReading(300, 11, 60), answered=True))
    assert window.remaining == 10


def test_an_answer_about_the_window_before_takes_nothing_from_the_new_one():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.1, 299, 60, took=0.1)
    window.depart(0.2)
    window.depart(60.2)
    window.settle(60.3, 60.2, Feedback(reading=WindowReading(300, 299, 60), answered=True))
    window.settle(60.5, 0.2, Feedback(reading=WindowReading(300, 0, 1), answered=True))
    assert window.remaining >= 298


def test_a_reserve_is_left_to_others():
    window = RateWindow(limit=10, period=60.0, reserve=4)
    answered(window, 0.0, 9, 60, limit=10)
    assert window.remaining == 5
    for _ in range(5):
        assert delay(window, 0.0) == 0
        window.depart(0.0)
    assert delay(window, 0.0) == pytest.approx(60)


def test_a_reserve_larger_than_the_limit_that_is_told_leaves_one():
    window = RateWindow(limit=300, period=60.0, reserve=100)
    answered(window, 0.0, 20, 60, limit=20)
    assert window.remaining == 1


def test_it_tells_when_the_window_ends():
    window = RateWindow(limit=300, period=60.0)
    assert window.seconds_left(0.0) is None
    window.depart(0.0)
    window.settle(1.0, 0.0, Feedback(reading=WindowReading(300, 299, 60), answered=True))
    assert window.seconds_left(11.0) == pytest.approx(50)


def test_one_answer_without_the_numbers_does_not_let_all_go():
    window = RateWindow(limit=300, period=60.0)
    for _ in range(2):
        window.depart(0.0)
        window.settle(0.1, 0.0, Feedback(answered=True))
        window.depart(0.1)
        assert delay(window, 0.1) > 0
        window.settle(0.2, 0.1, Feedback())


def test_after_a_refusal_without_the_numbers_a_single_request_scouts_too():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.1, 299, 60, took=0.1)
    window.depart(0.2)
    window.settle(0.2, 0.2, Feedback(answered=True, refused=True))
    assert delay(window, 5.3) == 0
    window.depart(5.3)
    assert delay(window, 5.3) > 0


def test_a_limit_that_is_no_longer_told_is_kept_until_its_window_ends():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 5, 50, limit=60)
    answered(window, 1.0, 3, 3, limit=300)
    assert window.remaining == 3
    assert window.seconds_left(1.0) == pytest.approx(4)
    window.advance(6.0)
    assert window.remaining == 4
    assert window.seconds_left(6.0) == pytest.approx(45)


def test_an_answer_changes_nothing_and_a_window_ends_when_the_time_advances():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 0, 60)
    known = msgspec.to_builtins(window)
    assert (window.delay(100.0), window.seconds_left(100.0), window.remaining) == (0.0, 0.0, 0)
    assert msgspec.to_builtins(window) == known
    window.advance(100.0)
    assert (window.delay(100.0), window.seconds_left(100.0), window.remaining) == (0.0, None, 300)


@pytest.mark.parametrize("began", [0.0, 4096.5, 1_000_000.25])
def test_requests_are_left_to_strangers_whenever_the_clock_began(began):
    window = RateWindow(limit=300, period=60.0)
    answered(window, began + 1.0, 299, 59, took=1.0)
    answered(window, began + 11.0, 99, 49, took=1.0)
    # In eleven seconds strangers sent 199 requests, and more may come while one of ours is under way.
    while delay(window, began + 11.0) == 0 and window.remaining:
        window.depart(began + 11.0)
    assert window.remaining == 14


def test_a_refusal_after_a_success_counts_as_the_first_one():
    window, now, waits = RateWindow(limit=300, period=60.0), 0.0, []
    for _ in range(3):
        for _ in range(2):
            window.depart(now)
            window.settle(now, now, Feedback(answered=True, refused=True))
            waits.append(delay(window, now))
            now += waits[-1]
        window.depart(now)
        window.settle(now, now, Feedback(answered=True))
    assert waits == [5, 10] * 3


def test_a_failure_without_an_answer_is_no_success():
    window = RateWindow(limit=300, period=60.0)
    window.depart(0.0)
    window.settle(0.0, 0.0, Feedback(answered=True, refused=True))
    window.depart(5.0)
    window.settle(5.0, 5.0, Feedback())
    window.depart(5.0)
    window.settle(5.0, 5.0, Feedback(answered=True, refused=True))
    assert delay(window, 5.0) == 10


def test_a_length_that_was_learned_is_unlearned_by_a_refusal_that_contradicts_it():
    window, now = RateWindow(limit=10, period=60.0), 0.0
    for _ in range(4):  # windows of 6 seconds
        answered(window, now, 9, 6, limit=10)
        now += 6.5
    assert window.counters[0].longest == 6.0
    now += 10.0
    assert delay(window, now) == 0
    window.depart(now)
    window.settle(now, now, Feedback(answered=True, refused=True))
    assert window.counters[0].longest is None
    assert window.counters[0].rounds_down


def test_a_limit_that_was_configured_gives_way_to_the_one_that_is_told():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 19, 60, limit=20)
    assert (window.limit, window.remaining) == (20, 19)
    assert [each.limit for each in window.counters] == [20]
    answered(window, 1.0, 18, 59, limit=20)
    assert (window.limit, window.remaining) == (20, 18)


def test_a_limit_that_is_not_told_of_in_this_window_holds_nobody_back():
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 299, 60)
    answered(window, 1.0, 9, 60, limit=10)
    assert delay(window, 200.0) == 0
    answered(window, 200.0, 299, 60)
    for _ in range(15):
        window.depart(200.0)
    assert delay(window, 200.0) == 0


@pytest.mark.parametrize(("ends_by", "expected"), [(30.0, 30.0), (None, 0.5)])
def test_what_strangers_may_have_used_is_left_unsent_in_a_window_that_is_open(ends_by, expected):
    counter = WindowCounter(limit=100, period=60.0, longest=60.0, foreign_rate=5.0, least=3, ends_by=ends_by)
    assert counter.delay(0.0, 0, 0, latency=1.0, patience=0.5) == expected


@pytest.mark.parametrize(("took", "remaining"), [(0.5, 295), (1.5, 292)])
def test_requests_that_were_told_no_number_are_counted_by_answers_that_left_later(took, remaining):
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, 299, 60)
    for _ in range(3):
        window.depart(0.9)
        window.settle(1.0, 0.9, Feedback(answered=True))
    answered(window, 2.0, 295, 58, took=took)
    assert window.remaining == remaining


@pytest.mark.parametrize(("told", "in_flight", "remaining"), [(2, 0, 2), (1, 0, 1), (0, 0, 0), (2, 1, 1), (1, 3, 0)])
def test_what_remains_is_what_was_told_without_what_is_under_way_and_never_less_than_nothing(
    told, in_flight, remaining
):
    window = RateWindow(limit=300, period=60.0)
    answered(window, 0.0, told, 60)
    for _ in range(in_flight):
        window.depart(1.0)
    assert window.remaining == remaining


def test_all_of_a_window_is_given_by_name():
    with pytest.raises(TypeError):
        RateWindow(*[300, 60.0])


def test_who_is_told_when_to_come_back_and_is_refused_again_waits_longer():
    window = RateWindow(limit=300, period=60.0)
    waits = []
    for now, told in ((100.0, 0.25), (200.0, 0.25), (300.0, 90.0)):
        window.depart(now)
        window.settle(now, now, Feedback(answered=True, refused=True, retry_after=told))
        waits.append(window.cooling_for(now))
    assert waits == [0.25, 10.0, 90.0]
