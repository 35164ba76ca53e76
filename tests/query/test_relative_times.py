"""Times that are counted from now: what they become, and that they are recognised again."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.query import Q, parse
from persona_cases.query.nodes import leaves_of
from persona_cases.query.relative import as_written

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("created_at >= now()", Q.created_at.gte(NOW)),
        ("created_at >= now() - 7d", Q.created_at.in_last(days=7, now=NOW)),
        ("created_at>=now()-7d", Q.created_at.in_last(days=7, now=NOW)),
        ("created_at >= now() -7d", Q.created_at.in_last(days=7, now=NOW)),
        ("now() - 7d <= created_at", Q.created_at.in_last(days=7, now=NOW)),
        ("now() <= sla_expires_at < now() + 4h", Q.sla_expires_at.in_next(hours=4, now=NOW)),
        ("created_at > now() - 1w - 2d + 3h - 4m + 5s", Q.created_at.gt("2026-01-22T15:26:05Z")),
        ("created_at >= today()", Q.created_at.gte("2026-01-31T00:00:00Z")),
        ("yesterday() <= created_at < today()", Q.created_at.between(date(2026, 1, 30), date(2026, 1, 31))),
        ("created_at < today() + 12h", Q.created_at.lt("2026-01-31T12:00:00Z")),
        ("created_at < today() + 12h + 1d", Q.created_at.lt("2026-02-01T12:00:00Z")),
        ("created_at < today('Asia/Tokyo')", Q.created_at.lt("2026-01-30T15:00:00Z")),
        ("created_at < yesterday('America/New_York')", Q.created_at.lt("2026-01-30T05:00:00Z")),
        ("created_at < today('UTC') - 4w", Q.created_at.lt("2026-01-03T00:00:00Z")),
        ("fields.due == today()", Q.fields.due.eq("2026-01-31")),
        ("fields.due != yesterday()", Q.fields.due.ne("2026-01-30")),
        ("fields.due <= today('Asia/Tokyo') + 1w", Q.fields.due.lte("2026-02-07")),
        ("fields.due <= today() + 1h", Q.fields.due.lte("2026-01-31T01:00:00Z")),
        ("fields.due <= now()", Q.fields.due.lte("2026-01-31T12:30:00Z")),
        ("fields.due in ['x', today(), yesterday(),]", Q.fields.due.in_(["x", "2026-01-31", "2026-01-30"])),
        ("attribute('newer') >= today()", Q.attribute("newer").gte("2026-01-31T00:00:00Z")),
        ("fields.today == 1 and fields['now'] == 2", Q.fields.today.eq(1) & Q.fields.now.eq(2)),
    ],
)
def test_relative_times_become_fixed_ones(text, same):
    assert parse(text, now=NOW) == same
    assert parse(text, now=NOW.astimezone(ZoneInfo("Asia/Tokyo"))) == same


def test_a_day_in_a_zone_is_the_day_it_is_there():
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert parse("fields.due == today('Europe/Berlin')", now=late) == Q.fields.due.eq(date(2026, 2, 1))
    assert parse("created_at >= today('Europe/Berlin')", now=late) == Q.created_at.gte("2026-01-31T23:00:00Z")


def test_days_begin_at_midnight_also_where_the_clocks_change():
    after = datetime(2026, 3, 30, 10, tzinfo=UTC)  # summer time began in Berlin on the 29th
    assert parse("created_at >= today('Europe/Berlin') - 1d", now=after) == Q.created_at.gte("2026-03-28T23:00:00Z")
    assert parse("created_at >= today('Europe/Berlin') - 24h", now=after) == Q.created_at.gte("2026-03-28T22:00:00Z")
    assert parse("created_at >= now() - 1d", now=after) == Q.created_at.gte("2026-03-29T10:00:00Z")


def test_all_times_of_a_text_are_counted_from_one_moment():
    before = datetime.now(UTC)
    low, high = (
        datetime.fromisoformat(str(leaf.value)) for leaf in leaves_of(parse("now() - 1d <= created_at < now()"))
    )
    assert high - low == timedelta(days=1)
    assert before <= high <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("created_at >= now", "column 15: write now\\(\\) with parentheses"),
        ("created_at >= now(", "column 19: a time zone is quoted"),
        ("created_at >= today(UTC)", "column 21: a time zone is quoted, such as today\\('Europe/Berlin'\\)"),
        ("created_at >= today('UTC'", "column 26: expected \\)"),
        ("created_at >= now('UTC')", "column 19: now\\(\\) takes no time zone"),
        ("created_at >= today('Nowhere')", "column 21: there is no such time zone"),
        ("created_at >= today('Europe')", "column 21: there is no such time zone"),
        ("created_at >= today('../../etc/passwd')", "column 21: there is no such time zone"),
        (r"created_at >= today('\\ud800')", "column 21: there is no such time zone"),
        ("created_at >= now() - 7", "column 23: a span is"),
        ("created_at >= now() -7", "column 21: a span is"),
        ("created_at >= now() 7d", "column 21: a span is"),
        ("created_at >= now() - ", "column 22: a span is|column 23: a span is"),
        ("created_at >= now() - now()", "column 23: a span is"),
        ("created_at >= now() - 7y", "column 23: .*"),
        ("created_at >= now() - 007d", "column 23: a number must not begin with 0"),
        ("created_at >= now() - 99999999d", "column 23: .*1 to 9999"),
        ("created_at >= now() - 99999999999999999999w", "column 23: .*1 to 9999"),
        ("created_at >= today() + 99999999d", "column 25: .*1 to 9999"),
        ("created_at >= now() - " + "9" * 5000 + "d", "column 23: .*digits"),
        ("status == today()", "column 11: status takes a str"),
        ("fields.n == 7d", "column 13: write a span after a time"),
        ("is_set(now())", "column 8: is_set takes a time attribute"),
        ("now() == today()", "column 1: one side of a comparison must be an attribute"),
    ],
)
def test_slips_in_relative_times_are_explained(text, message):
    with pytest.raises(QueryError, match=message):
        parse(text, now=NOW)


@pytest.mark.parametrize(
    ("now", "kind"), [(datetime(2026, 1, 1), QueryError), ("now", QueryTypeError), (date(2026, 1, 1), QueryTypeError)]
)
def test_now_is_an_aware_datetime(now, kind):
    with pytest.raises(kind, match="parse: now must"):
        parse("created_at >= now()", now=now)


moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))


@given(moments, st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia"]))
def test_today_is_the_day_that_holds_now(now, zone):
    today = parse(f"today('{zone}') <= created_at < today('{zone}') + 1d", now=now)
    start, end = (datetime.fromisoformat(str(leaf.value)) for leaf in leaves_of(today))
    assert start <= now < end
    assert timedelta(hours=22) < end - start < timedelta(hours=26)


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("created_at >= today('Asia/Tokyo')", datetime.max.replace(tzinfo=UTC)),
        ("created_at >= today('America/New_York')", datetime.min.replace(tzinfo=UTC)),
        ("created_at >= yesterday()", datetime.min.replace(tzinfo=UTC)),
        ("created_at >= today('Asia/Tokyo')", datetime.min.replace(tzinfo=UTC)),  # its midnight lies in the year 0
    ],
)
def test_days_beyond_the_calendar_are_refused(text, now):
    with pytest.raises(QueryError, match="column 15: .*the years 1 to 9999"):
        parse(text, now=now)


RELATIVE = [
    lambda now: Q.created_at.in_last(days=7) if now is None else Q.created_at.in_last(days=7, now=now),
    lambda now: Q.sla_expires_at.in_next(hours=1, now=now),
    lambda now: parse("not (fields.due in ['x', today()] or created_at < yesterday() - 1w)", now=now),
    lambda now: Q.status.eq("open") & (Q.created_at.in_last(days=7, now=now) | ~Q.fields.n.eq(1)),
]


def at(monkeypatch, now, make):
    """What `make` makes when the clock shows that."""
    monkeypatch.setattr("persona_cases.query.relative.current_time", lambda: now)
    return make(None)


@pytest.mark.parametrize("make", RELATIVE)
def test_an_expression_is_written_as_before_when_its_times_have_moved(monkeypatch, make):
    before, after = (at(monkeypatch, now, make) for now in (NOW, NOW + timedelta(days=1, seconds=7)))
    assert before != after
    assert as_written(before) == as_written(after)
    assert json.loads(json.dumps(as_written(after))) == as_written(after)
    assert as_written(pickle.loads(pickle.dumps(before))) == as_written(after)
    assert as_written(make(NOW)) != as_written(after)  # the caller chose that moment


OTHERS = [
    Q.created_at.in_last(days=7),
    Q.created_at.in_last(days=8),
    Q.created_at.in_last(days=7, now=NOW),
    Q.updated_at.in_last(days=7),
    ~Q.created_at.in_last(days=7),
    Q.sla_expires_at.in_last(days=7),
    Q.sla_expires_at.in_next(days=7),
    parse("created_at >= now() - 7d"),
    parse("created_at > now() - 7d"),
    parse("created_at >= now() - 8d"),
    parse("created_at >= today()"),
    parse("created_at >= today('Europe/Berlin')"),
    parse("created_at >= yesterday()"),
    parse("fields.n == 'now()'"),
    parse("fields.n == now()"),
    parse("fields.n == 1"),
    parse("fields.n == 1.0"),
    parse("fields.n == True"),
    Q.all_of([]),
    Q.any_of([]),
    Q.all_of([Q.status.eq("a"), Q.status.eq("b")]),
]


def test_other_expressions_are_written_in_another_way():
    assert len({json.dumps(as_written(each)) for each in OTHERS}) == len(OTHERS)
