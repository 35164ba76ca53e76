"""The estimate of how long an export still takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limiters import limiter_state as state

from persona_cases.cli.screen.remaining_time import Estimate
from persona_cases.export import ExportProgress


class Windows:
    """An export of so many pages, 50 a second, under a rate limit; time is made up."""

    def __init__(self, pages, limit, period):
        self.now, self.done, self.pages, self.limit, self.period = 1000.0, 0, pages, limit, period

    def run(self):
        """Tell of each page: the time, the progress, what the limiter knows."""
        began, used = self.now, 0
        while self.done < self.pages:
            if self.now >= began + self.period:
                began, used = self.now, 0
            if used == self.limit:
                self.now = began + self.period
                continue
            self.now, self.done, used = self.now + 0.02, self.done + 1, used + 1
            left = began + self.period - self.now
            progress = ExportProgress(cases=self.done * 100, pages=self.done, pages_left=self.pages - self.done)
            yield self.now, progress, state(limit=self.limit, remaining=self.limit - used, resets_in=max(0.0, left))


def estimates(world, estimate):
    found = []
    for now, progress, known in world.run():
        estimate.observe(now, progress, known)
        found.append((now, estimate.time_left(now)))
    return [(world.now - now, left) for now, left in found]


def test_the_estimate_is_right_where_the_rate_limit_decides():
    *found, last = estimates(Windows(3100, 300, 60), Estimate())
    assert last == (0, 0)
    # From the fifth page on the speed is known, and with it everything.
    assert [left for _, left in found[:5]] == [None] * 5
    known = [(really, left) for really, left in found if left is not None]
    assert len(known) > 3080
    assert all(abs(really - left) < 3 for really, left in known)


def test_the_estimate_is_right_where_the_speed_decides():
    *found, _ = estimates(Windows(500, 10_000, 60), Estimate())
    assert all(left is None or abs(really - left) < 0.5 for really, left in found)


def test_an_export_of_a_few_pages_a_minute_has_an_estimate_too():
    estimate = Estimate()
    for page in range(1, 11):
        estimate.observe(page * 20.0, ExportProgress(cases=page, pages=page, pages_left=30 - page), state())
    assert estimate.time_left(200.0) == pytest.approx(20 * 20, rel=0.1)


def test_another_window_than_the_documented_one_is_learned_when_it_begins_anew():
    found = estimates(Windows(2000, 100, 10), Estimate())
    really, left = found[99]
    assert left > 3 * really
    assert all(abs(really - left) < 2 for really, left in found[110:])


def test_a_wait_for_the_rate_limit_does_not_count_as_slowness():
    estimate = Estimate()
    for page in range(1, 21):
        estimate.observe(
            page * 0.1, ExportProgress(cases=page * 100, pages=page, pages_left=100), state(resets_in=60.0)
        )
    used_up = state(remaining=0, resets_in=50.0)
    estimate.observe(2.1, ExportProgress(cases=2100, pages=21, pages_left=100), used_up)
    estimate.observe(52.2, ExportProgress(cases=2200, pages=22, pages_left=100), state(remaining=299, resets_in=60.0))
    assert estimate.time_left(52.2) == pytest.approx(10, rel=0.1)


def test_a_jump_of_what_is_left_is_smoothed():
    estimate = Estimate()
    for page in range(1, 31):
        estimate.observe(page * 0.1, ExportProgress(cases=page * 100, pages=page, pages_left=200 - page), state())
    before = estimate.time_left(3.0)
    estimate.observe(
        3.1, ExportProgress(cases=3100, pages=31, pages_left=20_000), state(limit=100_000, remaining=100_000)
    )
    assert before == pytest.approx(17, rel=0.05)
    assert before < estimate.time_left(3.1) < 4 * before


def test_what_is_not_known_is_not_told():
    estimate = Estimate()
    assert (estimate.rate(0.0), estimate.time_left(0.0)) == (None, None)
    for page in range(1, 31):
        estimate.observe(page * 0.1, ExportProgress(cases=page * 100, pages=page), state())
    assert estimate.time_left(3.0) is None
    assert estimate.rate(3.0) == pytest.approx(1000)


def test_a_limit_of_cases_says_what_is_left():
    estimate = Estimate(limit=5000)
    for page in range(1, 31):
        estimate.observe(page * 0.1, ExportProgress(cases=page * 100, pages=page), state())
    assert estimate.time_left(3.0) == pytest.approx(2, rel=0.05)


def test_an_estimate_counts_down_by_itself_and_ends_when_it_is_overdue():
    estimate = Estimate()
    for page in range(1, 31):
        estimate.observe(page * 0.1, ExportProgress(cases=page * 100, pages=page, pages_left=100), state())
    left = estimate.time_left(3.0)
    assert estimate.time_left(7.0) == pytest.approx(left - 4)
    assert estimate.time_left(3.0 + left + 4) == 0
    assert estimate.time_left(3.0 + left + 6) is None


def test_the_cases_of_an_earlier_run_are_no_speed():
    estimate = Estimate()
    for page in range(1, 11):
        progress = ExportProgress(cases=1_000_000 + page * 100, pages=10_000 + page, pages_left=100)
        estimate.observe(page * 0.1, progress, state())
    assert estimate.rate(1.0) == pytest.approx(1000)
    assert estimate.time_left(1.0) == pytest.approx(10, rel=0.05)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.integers(0, 1000),
            st.none() | st.integers(0, 10**6),
            st.integers(0, 300),
            st.none() | st.floats(0, 3600),
            st.floats(0, 100),
        ),
        max_size=20,
    )
)
def test_whatever_is_told_it_never_fails(told):
    estimate, now, pages = Estimate(), 0.0, 0
    for seconds, more, left, remaining, resets_in, cooling in told:
        now, pages = now + seconds, pages + more
        known = state(remaining=remaining, resets_in=resets_in, cooling_for=cooling)
        estimate.observe(now, ExportProgress(cases=pages, pages=pages, pages_left=left), known)
        assert (estimate.time_left(now) or 0) >= 0
        assert (estimate.rate(now) or 0) >= 0
