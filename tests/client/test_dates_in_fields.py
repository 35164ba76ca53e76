"""A date that a case was created with is found again, whichever way it is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from persona_cases import Case
from persona_cases.query import Predicate, Q, parse, plan
from persona_cases.testing import Simulator

DAY = date(2026, 1, 31)
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))
ISSUED = Q.fields.issued_on

FOUND = [
    ISSUED.eq(DAY),
    ISSUED.eq("2026-01-31"),
    ISSUED.eq(MIDNIGHT),
    ISSUED.eq("2026-01-31T01:00:00+01:00"),
    ISSUED.in_([date(2020, 1, 1), DAY]),
    ISSUED.not_in([date(2020, 1, 1), DAY + timedelta(days=1)]),
    ISSUED.ne(DAY + timedelta(days=1)),
    ISSUED.ne(datetime(2026, 1, 31, tzinfo=BERLIN)),
    ISSUED.gte(DAY) & ISSUED.lte(DAY),
    ISSUED.gte(MIDNIGHT) & ISSUED.lte(MIDNIGHT),
    ISSUED.gt(DAY - timedelta(days=1)) & ISSUED.lt(DAY + timedelta(days=1)),
    ISSUED.between(DAY, DAY + timedelta(days=1)),
    parse("fields.issued_on == '2026-01-31'"),
]


@pytest.fixture
async def world(make_client):
    """One case with the date, and one without any."""
    async with Simulator(cases=0) as sim:
        cases = make_client(sim).cases
        template = sim.store.template("DOC").id
        dated = await cases.create(template, fields={"issued_on": DAY})
        await cases.create(template)
        yield cases, dated


def as_written_and_rewritten(where: Predicate) -> list[Predicate]:
    searches = plan(where).searches
    return [where, where.simplify(), where.to_nnf(), Q.any_of([search for search in searches if search is not None])]


async def test_a_date_is_found_by_every_operator(world):
    cases, dated = world
    assert dated.fields["issued_on"] == "2026-01-31"
    has_a_date = ISSUED.gte("1900-01-01")
    for where in FOUND:
        for same in as_written_and_rewritten(where & has_a_date):
            assert [case.id for case in await cases.search(same).collect()] == [dated.id], str(same)
            assert same.matches(dated), str(same)
        for opposite in as_written_and_rewritten(~where & has_a_date):
            assert await cases.search(opposite).collect() == [], str(opposite)
            assert not opposite.matches(dated), str(opposite)


@pytest.mark.parametrize("operator", ["eq", "ne", "lt", "lte", "gt", "gte"])
def test_a_date_is_sent_as_the_text_of_the_day(operator):
    assert getattr(ISSUED, operator)(DAY) == getattr(ISSUED, operator)("2026-01-31")


def test_lists_and_ranges_send_the_text_of_the_day():
    assert ISSUED.in_([DAY, DAY]) == ISSUED.in_(["2026-01-31", "2026-01-31"])
    assert ISSUED.not_in([DAY]) == ISSUED.not_in(["2026-01-31"])
    assert ISSUED.between(DAY, DAY) == ISSUED.between("2026-01-31", "2026-01-31")
    assert Q.attribute("fields.issued_on").eq(DAY) == ISSUED.eq(DAY)


def test_the_apis_own_times_still_take_the_midnight():
    assert Q.created_at.gte(DAY) == Q.created_at.gte("2026-01-31T00:00:00Z")


@pytest.mark.parametrize("sent", ["31 January 2026", "2026-01-31T00:00:00", "2026-02-30", "20260131"])
def test_other_texts_compare_as_texts(sent):
    case = Case.from_dict(
        {"type": "case", "id": "case_1", "attributes": {"fields": {"due": {"type": "string", "value": sent}}}}
    )
    assert Q.fields.due.eq(sent).matches(case)
    assert Q.fields.due.ne(DAY).matches(case)
