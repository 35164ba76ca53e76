"""One counter by hand: what each kind of event teaches, with numbers on either side of each boundary."""

from __future__ import annotations

import math

import pytest

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import RateWindow
from persona_cases.protocol.window_counter import WindowCounter

ROUNDING = 1e-6
# No clock begins at 0, and no mistake may hide there.
BEGAN = 100.0


def counter(**known) -> WindowCounter:
    return WindowCounter(**{"limit": 10, "period": 60.0, "longest": 60.0, **known})


def used_up(**known) -> WindowCounter:
    """A window of five to seven seconds, where 60 were configured: all its requests are ours, and none is left."""
    window = {"opened_after": BEGAN, "opened_by": 100.25, "ends_after": 105.0, "ends_by": 107.0}
    told = {"reported": True, "most": 6, "least": 0, "told_at": 100.25, "ours": 10, "longest": None}
    return counter(**{**window, **told, **known})


def running(**known) -> WindowCounter:
    """A window of which several answers have told."""
    window = {"opened_by": 98.0, "ends_after": 150.0, "ends_by": 155.0, "most": 57, "shortest": 56.0}
    return counter(**{**window, "reported": True, "least": 5, "told_at": 120.0, **known})


def take_in(counter: WindowCounter, departed: float, now: float, remaining: int, reset: int, in_flight: int = 0):
    counter.take_in(now, departed, WindowReading(counter.limit, remaining, reset), in_flight)


# ---- when may the next one leave -------------------------------------------------------------------------------------


def wait(counter: WindowCounter, *, now: float = 101.0, in_flight: int = 0, reserve: int = 0, latency: float = 0.2):
    return counter.delay(now, in_flight, reserve, latency=latency, patience=0.5)


def test_without_anything_left_the_end_of_the_window_is_waited_for():
    assert wait(used_up()) == pytest.approx(6.0)
    assert wait(used_up(), now=106.75) == pytest.approx(0.25)


def test_without_an_end_only_an_answer_helps():
    assert wait(counter(least=0)) == math.inf
    assert wait(counter(least=1)) == 0
    assert wait(used_up(), now=200.0) == 0


@pytest.mark.parametrize(
    ("least", "reserve", "expected"),
    [
        # One of ten may be held back for strangers, who may send two meanwhile.
        (1, 0, 6.0),
        (2, 0, 0.5),
        (3, 0, 0.0),
        # What is left to others anyway need not be held back besides.
        (1, 1, 6.0),
        (2, 1, 0.5),
        (3, 1, 0.5),
        (4, 1, 0.0),
    ],
)
def test_what_strangers_may_send_meanwhile_is_waited_for(least, reserve, expected):
    window = used_up(foreign_rate=5.0, least=least, ours=10 - least)
    assert wait(window, reserve=reserve) == pytest.approx(expected)


# ---- the end of a window ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "rate"),
    [
        # 16 of the 20 that are gone are theirs, in the four seconds since it opened, or the two since it can have.
        ({}, 4.0),
        ({"opened_after": 102.0}, 8.0),
        ({"opened_after": 103.75}, 16.0),
        ({"ours": 20}, 0.0),
        ({"ours": 30}, 0.0),
        ({"foreign_rate": 6.0}, 4.0),
        ({"foreign_rate": 20.0}, 10.0),
        ({"least": None, "foreign_rate": 6.0}, 3.0),
    ],
    ids=str,
)
def test_how_many_requests_strangers_send_is_remembered(known, rate):
    window = counter(**{"limit": 100, "ends_by": 160.0, "most": 59, "told_at": 104.0, "least": 80, "ours": 4, **known})
    window.begin_next(0)
    assert window.foreign_rate == rate


@pytest.mark.parametrize(("ends_after", "unseen"), [(154.0, [155.0, 158.0]), (None, [158.0])])
def test_what_ended_late_may_count_in_the_next_window(ends_after, unseen):
    window = running(ends_after=ends_after, ends_by=157.0, unseen=[150.0, 155.0, 158.0])
    known = RateWindow(limit=window.limit, period=window.period, counters=[window], in_flight=2)

    known.advance(156.75)
    assert window.ends_by == 157.0
    known.advance(157.0)

    assert (window.before, window.opened_after, window.unseen, window.ours) == (157.0, ends_after, unseen, 2)
    assert window.ends_by == pytest.approx(218.0 + ROUNDING)
    assert (window.opened_by, window.ends_after, window.least, window.told_at) == (None, None, None, None)


def test_after_a_window_in_which_nothing_ended_late_none_is_open():
    window = running(unseen=[120.0])
    window.begin_next(0)
    assert (window.unseen, window.ends_by) == ([], None)


# ---- what ended without a number -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "ends_after", "ends_by"),
    [
        ({}, 161.0, 162.0),
        ({"reported": True, "shortest": 50.0}, 151.0, 162.0),
        ({"reported": True, "longest": None}, 101.0, 162.0),
        ({"reported": True, "longest": 70.0}, 101.0, 172.0),
    ],
    ids=str,
)
def test_what_was_counted_opens_a_window(known, ends_after, ends_by):
    window = counter(**known)
    window.miss(102.0, 101.0, answered=True)
    assert (window.opened_by, window.ends_after, window.unseen) == (102.0, ends_after, [102.0])
    assert window.ends_by == pytest.approx(ends_by + ROUNDING)


def test_what_was_lost_may_have_opened_one():
    window = counter()
    window.miss(102.0, 101.0, answered=False)
    window.miss(103.0, 101.0, answered=False)
    assert (window.opened_by, window.ends_after) == (None, None)
    assert window.ends_by == pytest.approx(163.0 + ROUNDING)


# ---- what an answer tells --------------------------------------------------------------------------------------------


def test_the_first_answer_tells_when_the_window_ends():
    window = counter(ours=3)
    take_in(window, 101.0, 102.0, remaining=7, reset=50)
    assert (window.ends_after, window.opened_by, window.opened_after) == (150.0, 102.0, None)
    assert window.ends_by == pytest.approx(153.0 + ROUNDING)
    assert (window.reported, window.most, window.least, window.told_at, window.ours) == (True, 50, 7, 102.0, 3)


def test_the_first_request_of_a_window_tells_when_it_began():
    window = counter()
    take_in(window, 101.0, 102.0, remaining=9, reset=60)
    assert window.opened_after == 101.0


@pytest.mark.parametrize(
    ("known", "reset", "longest"),
    [
        # The configured period agrees with whole seconds, whether they were rounded up or down.
        ({}, 60, 60.0),
        ({}, 59, 60.0),
        ({"period": 59.25}, 60, 59.25),
        # It does not agree: the seconds count as rounded up, until it is known that they are not.
        ({}, 58, 58.0),
        ({}, 61, 61.0),
        ({"rounds_down": True}, 58, 59.0),
        ({"reported": True, "longest": 57.5}, 58, 57.5),
        # With a limit of 1, any response could be the first of its window.
        ({"limit": 1}, 58, 59.5),
    ],
    ids=str,
)
def test_the_first_request_of_a_window_tells_how_long_windows_last(known, reset, longest):
    window = counter(**known)
    take_in(window, 101.0, 101.5, remaining=window.limit - 1, reset=reset)
    assert window.longest == pytest.approx(longest)


def test_requests_after_the_first_do_not_tell_how_long_windows_last():
    window = counter()
    take_in(window, 101.0, 101.5, remaining=8, reset=5)
    assert window.longest == 60.0


@pytest.mark.parametrize(("reset", "longest"), [(60, 60.0), (61, None)])
def test_windows_longer_than_configured_have_an_unknown_length(reset, longest):
    window = counter()
    take_in(window, 101.0, 101.5, remaining=8, reset=reset)
    assert window.longest == longest


@pytest.mark.parametrize(("reset", "longest"), [(61, 60.0), (62, None)])
def test_a_length_is_unlearned_when_an_answer_tells_of_more(reset, longest):
    window = running(ends_after=180.0, ends_by=182.0)
    take_in(window, 121.0, 121.5, remaining=4, reset=reset)
    assert window.longest == longest


@pytest.mark.parametrize(
    ("remaining", "now", "departed", "reset", "starts_over"),
    [
        # More may leave than before, although the window cannot have ended.
        (6, 149.75, 121.0, 5, True),
        (5, 149.75, 121.0, 5, False),
        # One that left before that was told need not know.
        (6, 149.75, 119.75, 5, False),
        (6, 149.75, 120.0, 5, True),
        # What was told last was of this window, and it cannot end so early.
        (4, 130.0, 121.0, 18, True),
        (4, 130.0, 121.0, 19, False),
    ],
)
def test_a_counter_that_was_reset_is_learned_from_the_start(remaining, now, departed, reset, starts_over):
    window = running(before=90.0, ours=7)
    take_in(window, departed, now, remaining=remaining, reset=reset)
    assert (window.before, window.ours) == (None if starts_over else 90.0, 7)
    assert (window.least, window.shortest) == ((remaining, reset - 1) if starts_over else (min(remaining, 5), 56.0))


@pytest.mark.parametrize(
    ("known", "departed", "now", "reset", "is_past"),
    [
        ({"opened_after": 100.0}, 99.75, 121.0, 30, True),
        ({"opened_after": 100.0}, 100.0, 121.0, 30, False),
        ({"before": 100.0}, 95.0, 144.0, 6, True),
        ({"before": 100.0}, 95.0, 144.0, 7, False),
        # It ended before the one that is told of does.
        ({}, 110.0, 130.0, 18, True),
        ({}, 110.0, 130.0, 19, False),
    ],
)
def test_what_an_answer_tells_of_the_window_before_does_not_count(known, departed, now, reset, is_past):
    window = running(**known)
    take_in(window, departed, now, remaining=3, reset=reset)
    assert (window.least, window.unseen) == ((5, [now]) if is_past else (3, []))


@pytest.mark.parametrize(("now", "is_next"), [(149.75, False), (150.0, True)])
def test_the_next_window_may_begin_as_soon_as_this_one_can_have_ended(now, is_next):
    window = running()
    take_in(window, 149.5, now, remaining=9, reset=60)
    # What begins before that is a counter that was reset.
    assert window.before == (now if is_next else None)


def test_the_next_window_begins_with_what_is_under_way():
    window = running(opened_after=97.5, ends_after=158.0, ends_by=160.0, most=60, longest=None)

    take_in(window, 161.0, 161.5, remaining=9, reset=60, in_flight=3)

    assert (window.before, window.opened_after, window.ours, window.least) == (161.5, 161.0, 4, 9)
    assert (window.shortest, window.longest) == (60.0, 60.0)
    assert (window.ends_after, window.ends_by) == (220.0, pytest.approx(221.5 + ROUNDING))


@pytest.mark.parametrize(
    ("departed", "now", "reset", "ends_after", "ends_by"),
    [
        # The bounds of one window narrow.
        (147.0, 150.0, 4, 150.0, 155.0),
        (147.0, 150.0, 3, 150.0, 154.0),
        (147.0, 150.0, 6, 152.0, 155.0),
        (147.0, 151.0, 7, 153.0, 155.0),
        # So late, it may be the next one.
        (147.0, 151.0, 8, 150.0, 160.0),
    ],
)
def test_an_answer_narrows_the_end_of_its_window(departed, now, reset, ends_after, ends_by):
    window = running(shortest=10.0, most=8, told_at=149.0)
    take_in(window, departed, now, remaining=4, reset=reset)
    assert window.ends_after == ends_after
    assert window.ends_by == pytest.approx(ends_by, abs=1e-5)


def test_what_was_told_of_before_an_answer_left_is_counted_in_it():
    window = running(unseen=[119.0, 121.0, 123.0])
    take_in(window, 121.0, 125.0, remaining=4, reset=28)
    assert (window.unseen, window.least, window.told_at) == ([123.0], 4, 125.0)
    take_in(window, 126.0, 127.0, remaining=4, reset=27)
    assert window.told_at == 125.0


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "departed", "longest", "rounds_down"),
    [
        # The window before seemed to have ended: windows are longer than was learned.
        ({"least": None, "before": 101.0}, 101.0, None, True),
        # No window was known before, so nothing was learned of lengths.
        ({"least": None}, 101.0, None, False),
        ({"least": None, "rounds_down": True}, 101.0, None, True),
        # It had not been certain.
        ({"least": None, "before": 101.25}, 101.0, 60.0, False),
        # Other clients took what was left.
        ({"least": 3}, 101.0, 60.0, False),
        ({"least": 3, "before": 101.0}, 101.0, 60.0, False),
    ],
)
def test_a_refusal_contradicts_what_was_believed(known, departed, longest, rounds_down):
    window = counter(**known)
    window.contradict(departed)
    assert (window.longest, window.rounds_down) == (longest, rounds_down)
