"""What the headers of an answer say about limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.protocol.limit_headers import WindowReading, read_quota, read_rate_limit, read_retry_after

SENT = "Wed, 21 Oct 2015 07:28:00 GMT"
READERS = {"ratelimit": read_rate_limit, "quota": read_quota, "quotalimit": read_quota}


def window(prefix: str, limit: str = "300", remaining: str = "280", reset: str = "53") -> dict[str, str]:
    return {f"{prefix}-limit": limit, f"{prefix}-remaining": remaining, f"{prefix}-reset": reset}


@pytest.mark.parametrize("prefix", READERS)
def test_a_window_is_read_in_each_spelling(prefix):
    assert READERS[prefix](window(prefix)) == WindowReading(300, 280, 53)


def test_the_rate_limit_is_no_quota_and_the_other_way_round():
    assert read_quota(window("ratelimit")) is None
    assert read_rate_limit(window("quota")) is None


@pytest.mark.parametrize("prefix", READERS)
@pytest.mark.parametrize("value", ["", "-1", "1.5", "many", "٣", pytest.param("9" * 5000, id="endless")])
@pytest.mark.parametrize("part", ["limit", "remaining", "reset"])
def test_a_window_of_which_a_part_makes_no_sense_is_none(prefix, part, value):
    assert READERS[prefix](window(prefix, **{part: value})) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("3600", 3600.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
        ("Wed, 21 Oct 2015 09:28:30 +0200", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value, seconds):
    assert read_retry_after({"retry-after": value, "date": SENT}) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-5",
        "1.5",
        "soon",
        "inf",
        "nan",
        "3601",
        pytest.param("9" * 5000, id="endless"),
        "Wed, 21 Oct 2015 09:28:00 GMT",
        "Wed, 21 Oct 99999 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 +9999",
        "Fri, 99 Foo 2015 25:61:61 GMT",
    ],
)
def test_a_retry_after_that_makes_no_sense_is_none(value):
    assert read_retry_after({"retry-after": value, "date": SENT}) is None


@pytest.mark.parametrize("headers", [{}, {"date": ""}, {"date": "today"}])
def test_a_date_is_measured_against_nothing_but_the_answers_own(headers):
    assert read_retry_after({"retry-after": SENT, **headers}) is None
    assert read_retry_after({"retry-after": "7", **headers}) == 7


def test_there_is_usually_no_retry_after():
    assert read_retry_after({"date": SENT}) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_the_headers_are_a_wait_is_sane(value, date):
    wait = read_retry_after({"retry-after": value, "date": date})
    assert wait is None or 0 <= wait <= 3600


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(-9999, 3600))
def test_a_date_says_the_same_as_the_seconds_until_it(sent, seconds):
    headers = {"date": format_datetime(sent, usegmt=True)}
    then = format_datetime(sent + timedelta(seconds=seconds), usegmt=True)
    assert read_retry_after({**headers, "retry-after": then}) == max(0, seconds)
