"""What `Q` makes, and what it refuses."""

from __future__ import annotations

import copy
import decimal
import enum
import inspect
import math
import pickle
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from persona_cases.errors import QueryError, QueryTypeError, UnknownAttributeError
from persona_cases.query import Predicate, Q
from persona_cases.query.attributes import SEARCHABLE, Kind
from persona_cases.query.entry import as_predicate
from persona_cases.query.field import Field, TimeField
from persona_cases.query.namespace import Namespace
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Not, leaves_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Level(enum.StrEnum):
    LOW = "low"


class Score(enum.Enum):
    TOP = 10
    NOTHING = None


def leaf(name, operator, value):
    return {"attribute": name, "operator": operator, "value": value}


def test_the_namespace_and_the_table_name_the_same_attributes():
    fields = {name: value for name, value in vars(Namespace).items() if isinstance(value, Field)}
    assert fields.keys() == SEARCHABLE.keys()
    for name, field in fields.items():
        assert field.eq("2026-01-31").attribute == name
        assert isinstance(field, TimeField) == (SEARCHABLE[name].kind is Kind.TIME)
        assert repr(field) == f"Q.{name}"


@pytest.mark.parametrize("operator", ["eq", "gt", "gte", "lt", "lte"])
def test_comparisons(operator):
    assert getattr(Q.status, operator)("open").to_dict() == leaf("status", operator, "open")
    assert getattr(Q.fields.amount, operator)(5).to_dict() == leaf("fields.amount", operator, 5)


def test_what_the_api_lacks_is_built_from_what_it_has():
    open_, done = leaf("status", "eq", "open"), leaf("status", "eq", "done")
    assert Q.status.ne("open").to_dict() == {"not": open_}
    assert Q.status.in_(["open", "done"]).to_dict() == {"or": [open_, done]}
    assert Q.status.in_(iter(["open"])).to_dict() == open_
    assert Q.status.in_([]).to_dict() == {"or": []}
    assert Q.status.not_in(["open", "done"]).to_dict() == {"not": {"or": [open_, done]}}
    assert Q.fields.amount.between(1, 5).to_dict() == {
        "and": [leaf("fields.amount", "gte", 1), leaf("fields.amount", "lt", 5)]
    }
    set_ = leaf("resolved_at", "gte", "1970-01-01T00:00:00Z")
    assert Q.resolved_at.is_set().to_dict() == set_
    assert Q.resolved_at.is_unset().to_dict() == {"not": set_}


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), "2025-01-02T03:04:05Z"),
        (datetime(2025, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC), "2025-01-02T03:04:05.120Z"),
        (datetime(2025, 1, 2, 3, 4, 5, 7, tzinfo=UTC), "2025-01-02T03:04:05.000007Z"),
        (datetime(2025, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), "2025-01-01T23:00:00Z"),
        (date(2025, 1, 2), "2025-01-02T00:00:00Z"),
        ("2025-01-02", "2025-01-02"),
        ("2025-01-02T03:04Z", "2025-01-02T03:04Z"),
        ("2025-01-02T03:04:05.123+02:00", "2025-01-02T03:04:05.123+02:00"),
    ],
)
def test_times_go_over_the_wire_as_utc_and_texts_as_written(value, wire):
    assert Q.created_at.gte(value).to_dict()["value"] == wire


@pytest.mark.parametrize(
    ("value", "wire"),
    [(5, 5), (1.5, 1.5), (True, True), ("x", "x"), (Level.LOW, "low"), (Score.TOP, 10), (2**64 - 1, 2**64 - 1)],
)
def test_custom_fields_take_every_scalar(value, wire):
    sent = Q.fields.x.eq(value).to_dict()["value"]
    assert (sent, type(sent)) == (wire, type(wire))


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (None, "is_unset"),
        (math.nan, "JSON"),
        (math.inf, "JSON"),
        (datetime(2025, 1, 1), "tzinfo=UTC"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))), "years"),
        (b"x", "decode"),
        (["x"], "in_"),
        ({"x": 1}, "str, int"),
        (decimal.Decimal(1), "float"),
        (uuid.UUID(int=1), "str\\(value\\)"),
        (timedelta(1), "in_last"),
        (Q.status, "another attribute"),
        (Score.NOTHING, "is_unset"),
        (2**64, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        ("\ud800", "surrogate"),
        (object(), "aware datetime"),
    ],
)
def test_values_without_a_json_scalar_are_refused_with_a_remedy(value, hint):
    with pytest.raises(QueryError, match=f"fields.x .*{hint}"):
        Q.fields.x.eq(value)


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Q.status.eq(5), "status takes a str"),
        (lambda: Q.status.eq(NOW), "status takes a str"),
        (lambda: Q.status.in_(["open", 5]), "status takes a str"),
        (lambda: Q.created_at.gt(5), "created_at takes an aware datetime"),
        (lambda: Q.created_at.gt(True), "created_at takes an aware datetime"),
        (lambda: Q.created_at.gt("garbage"), "2025-01-31T12:00:00Z"),
        (lambda: Q.created_at.gt("2025-02-30"), "ISO date"),
        (lambda: Q.created_at.gt("2025-01-01T00:00:00"), "zone"),
        (lambda: Q.created_at.gt("2025-01-01 00:00:00Z"), "ISO date"),
        (lambda: Q.status.in_("open"), "write .in_\\(\\[value\\]\\)"),
        (lambda: Q.status.in_(b"open"), "a list"),
        (lambda: Q.status.in_({"open": 1}), "keys"),
        (lambda: Q.fields.x.in_(5), "a single value"),
        (lambda: Q.fields.x.in_(Q.status), "not a list"),
        (lambda: Q.fields.x.between(None, 5), "null"),
        (lambda: Q.fields[""], "empty"),
        (lambda: Q.fields[5], "str"),
        (lambda: Q.attribute(""), "empty"),
        (lambda: Q.attribute(5), "str"),
        (lambda: list(Q.fields), "templates"),
        (lambda: Q.all_of(Q.status.eq("open")), "Q.all_of\\(\\[...\\]\\)"),
        (lambda: Q.any_of("status == 'open'"), "parse"),
        (lambda: Q.all_of([Q.status.eq("a"), False]), "item 1 of all_of .* use .eq"),
        (lambda: Q.any_of([Q.status]), "item 0 of any_of .*Q.status.eq"),
        (lambda: AllOf(["x"]), "AllOf is made of"),
        (lambda: Not("x"), "Not is made of"),
        (lambda: Comparison("status", "ne", "x"), "eq, gt, gte, lt, lte"),
    ],
)
def test_slips_are_refused_at_once(make, hint):
    with pytest.raises(QueryError, match=hint):
        make()


def test_error_texts_do_not_show_values():
    for value in ("garbage-4711", "2025-01-01T00:00:00"):
        with pytest.raises(QueryError) as caught:
            Q.created_at.eq(value)
        assert value not in str(caught.value)


def test_a_wrong_attribute_names_the_nearest_and_behaves_as_python_expects():
    with pytest.raises(UnknownAttributeError, match=r"did you mean Q\.status\?"):
        Q.statuss  # noqa: B018
    with pytest.raises(UnknownAttributeError, match=r"Q\.assignee\?"):
        Q.assignee_id  # noqa: B018
    assert not hasattr(Q, "__wrapped__")
    assert not hasattr(Q.fields, "__wrapped__")
    assert not hasattr(Q.fields, "_ipython_display_")
    assert inspect.unwrap(Q) is Q
    with pytest.raises(AttributeError):
        Q.status = "open"


def test_q_is_one_object():
    assert copy.deepcopy(Q) is Q
    assert pickle.loads(pickle.dumps(Q)) is Q
    assert repr(Q) == "Q"
    assert repr(Q.fields) == "Q.fields"
    assert pickle.loads(pickle.dumps(Q.created_at)).eq("2025-01-01") == Q.created_at.eq("2025-01-01")


@pytest.mark.parametrize(
    ("misuse", "hint"),
    [
        (lambda: Q.status < "x", r"Q.status.lt"),
        (lambda: Q.status <= "x", r"Q.status.lte"),
        (lambda: 1 < Q.fields.n < 5, r"Q.fields.n.gt\("),
        (lambda: Q.status >= "x", r"Q.status.gte"),
        (lambda: "x" in Q.status, r"Q.status.in_"),
        (lambda: list(Q.status), "not a list"),
        (lambda: bool(Q.status), r"Q.status.eq"),
        (lambda: Q.status.eq("a") and Q.status.eq("b"), "combine with &"),
        (lambda: not Q.status.eq("a"), "combine with &"),
        (lambda: [1] if Q.status.eq("a") else [], "combine with &"),
        (lambda: list(filter(None, [Q.status.eq("a")])), "combine with &"),
    ],
)
def test_python_operators_that_make_no_expression_fail_loudly(misuse, hint):
    with pytest.raises(QueryTypeError, match=hint):
        misuse()


@pytest.mark.parametrize("other", [True, None, "x", {}, Q.status])
def test_predicates_combine_with_predicates_only(other):
    for combine in (lambda a, b: a & b, lambda a, b: a | b, lambda a, b: b & a, lambda a, b: b | a):
        with pytest.raises(TypeError):
            combine(Q.status.eq("a"), other)


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        (Q.status == "open", r"not bool: .*\.eq"),
        ("status == 'open'", "parse"),
        (Q.status, r"Q\.status\.eq"),
        ({"and": []}, "from_dict"),
        (None, r"Q\.status\.eq"),
    ],
)
def test_entry_points_say_what_to_write_instead(where, hint):
    with pytest.raises(QueryTypeError, match=f"the_filter must .*{hint}"):
        as_predicate(where, "the_filter")


def test_entry_points_pass_predicates_on():
    predicate = Q.status.eq("open")
    assert as_predicate(predicate) is predicate


def test_in_last_counts_back_from_now():
    assert Q.created_at.in_last(days=7, now=NOW) == Q.created_at.gte(NOW - timedelta(days=7))
    assert Q.updated_at.in_last(weeks=1, hours=1.5, now=NOW) == Q.updated_at.gte(NOW - timedelta(days=7, hours=1.5))
    assert Q.created_at.in_last(timedelta(days=7), now=NOW) == Q.created_at.in_last(days=7, now=NOW)
    assert Q.created_at.in_last(timedelta(minutes=1), seconds=1, now=NOW) == Q.created_at.in_last(seconds=61, now=NOW)


def test_in_last_has_an_end_where_times_lie_ahead():
    expected = Q.all_of([Q.sla_expires_at.gte(NOW - timedelta(hours=1)), Q.sla_expires_at.lte(NOW)])
    assert Q.sla_expires_at.in_last(hours=1, now=NOW) == expected


@pytest.mark.parametrize("field", [Q.sla_expires_at, Q.created_at])
def test_in_next_reaches_ahead_from_now(field):
    expected = field.between(NOW, NOW + timedelta(hours=4))
    assert field.in_next(hours=4, now=NOW) == field.in_next(timedelta(hours=4), now=NOW) == expected


@pytest.mark.parametrize(
    ("shift", "last", "next_"),
    [
        (timedelta(hours=-1, microseconds=-1), False, False),
        (timedelta(hours=-1), True, False),
        (timedelta(microseconds=-1), True, False),
        (timedelta(), True, True),
        (timedelta(microseconds=1), False, True),
        (timedelta(hours=1, microseconds=-1), False, True),
        (timedelta(hours=1), False, False),
    ],
)
def test_which_times_lie_in_the_last_and_in_the_next_hour(shift, last, next_):
    case = {"attributes": {"sla-expires-at": (NOW + shift).isoformat()}}
    assert Q.sla_expires_at.in_last(hours=1, now=NOW).matches(case) is last
    assert Q.sla_expires_at.in_next(hours=1, now=NOW).matches(case) is next_


def test_days_have_24_hours_whatever_the_clocks_do():
    summer = datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("Europe/Berlin"))  # the clocks went forward in the night
    assert Q.created_at.in_last(days=1, now=summer) == Q.created_at.gte("2026-03-28T10:00:00Z")


@pytest.mark.parametrize(("method", "sign"), [("in_last", 1), ("in_next", 0)])
def test_spans_begin_at_the_moment_of_the_call_if_none_is_given(method, sign):
    before = datetime.now(UTC)
    first = leaves_of(getattr(Q.sla_expires_at, method)(days=7))[0]
    assert isinstance(first.value, str)
    assert before <= datetime.fromisoformat(first.value) + sign * timedelta(days=7) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("span", "hint"),
    [
        ({}, "days=7"),
        ({"days": 0}, "days=7"),
        ({"days": -7}, "positive"),
        ({"days": "7"}, "numbers"),
        ({"days": math.nan}, "range"),
        ({"days": 10**12}, "range"),
        ({"days": 999_999_999, "weeks": 999_999}, "range"),
        ({"days": 10**7}, "range"),
        ({"days": 7, "now": datetime(2025, 1, 1)}, "naive"),
        ({"days": 7, "now": "2025-01-01"}, "aware datetime"),
        ({"days": 7, "now": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))}, "9999"),
    ],
)
@pytest.mark.parametrize("method", ["in_last", "in_next"])
def test_what_is_no_span_is_refused(method, span, hint):
    with pytest.raises(QueryError, match=f"{method}.*{hint}"):
        getattr(Q.created_at, method)(**span)


@pytest.mark.parametrize("method", ["in_last", "in_next"])
@pytest.mark.parametrize("span", [7, "7d", timedelta(), timedelta(days=-1), timedelta.max])
def test_a_span_by_position_is_a_positive_timedelta(method, span):
    with pytest.raises(QueryError, match=method):
        getattr(Q.created_at, method)(span, now=NOW)


def test_combinators_keep_or_extend():
    a, b, c = (Q.status.eq(value) for value in "abc")
    assert a & b & c == AllOf([a, b, c]) == a & (b & c)
    assert a | b | c == AnyOf([a, b, c]) == a | (b | c)
    assert (a & b) | c == AnyOf([AllOf([a, b]), c])
    assert Q.all_of([a & b, c]) == AllOf([AllOf([a, b]), c]) != a & b & c
    assert Q.any_of([a]) == AnyOf([a]) != a
    assert ~~a == Not(Not(a)) != a
    assert Q.all_of(part for part in [a]).parts == (a,)


def test_depth_counts_boolean_levels():
    a = Q.status.eq("a")
    assert [p.depth for p in (a, ~a, a & ~a, (a | ~a) & a, ~~a, Q.all_of([]))] == [0, 1, 2, 3, 2, 1]


def test_nodes_are_frozen_and_work_as_keys():
    a, b = Q.status.eq("a"), Q.status.eq("b")
    for node, name in ((a, "value"), (~a, "part"), (a & b, "parts")):
        with pytest.raises(AttributeError):
            setattr(node, name, "x")
    assert len({a, Q.status.eq("a"), a & b, a & b, ~a}) == 3
    assert a != "a"
    assert len({Q.fields.n.eq(1), Q.fields.n.eq(True), Q.fields.n.eq(1.0)}) == 3
    assert Q.fields.n.eq(-0.0).to_dict() == Q.fields.n.eq(0.0).to_dict()
    assert isinstance(a, Predicate)


@pytest.mark.parametrize(
    ("predicate", "python", "text"),
    [
        (
            Q.status.eq("open") & ~Q.fields.priority.eq("low"),
            "Q.status.eq('open') & ~Q.fields.priority.eq('low')",
            "status == 'open' and not fields.priority == 'low'",
        ),
        (
            (Q.status.eq("a") & Q.state.eq("b")) | ~(Q.status.eq("c") & Q.state.eq("d")),
            "(Q.status.eq('a') & Q.state.eq('b')) | ~(Q.status.eq('c') & Q.state.eq('d'))",
            "(status == 'a' and state == 'b') or not (status == 'c' and state == 'd')",
        ),
        (Q.status.not_in(["a", "b"]), "~Q.status.in_(['a', 'b'])", "not status in ['a', 'b']"),
        (Q.fields["any key"].gt(1.5), "Q.fields['any key'].gt(1.5)", "fields['any key'] > 1.5"),
        (Q.fields["class"].eq(True), "Q.fields['class'].eq(True)", "fields['class'] == True"),
        (Q.fields["_x"].lte(-1), "Q.fields['_x'].lte(-1)", "fields['_x'] <= -1"),
        (Q.attribute("newer").lt("x"), "Q.attribute('newer').lt('x')", "attribute('newer') < 'x'"),
        (Q.attribute("status").eq("x"), "Q.status.eq('x')", "status == 'x'"),
        (Q.attribute("status").eq(5), "Q.attribute('status').eq(5)", "attribute('status') == 5"),
        (
            Q.attribute("created_at").in_(["2025-01-01", "never"]),
            "Q.attribute('created_at').in_(['2025-01-01', 'never'])",
            "attribute('created_at') in ['2025-01-01', 'never']",
        ),
        (Q.all_of([]), "Q.all_of([])", "all([])"),
        (Q.any_of([Q.status.eq("a")]), "Q.any_of([Q.status.eq('a')])", "any([status == 'a'])"),
        (
            Q.all_of([Q.status.eq("a") & Q.state.eq("b"), ~Q.any_of([])]),
            "Q.all_of([Q.status.eq('a') & Q.state.eq('b'), ~Q.any_of([])])",
            "all([status == 'a' and state == 'b', not any([])])",
        ),
    ],
)
def test_the_two_spellings(predicate, python, text):
    assert repr(predicate) == python
    assert str(predicate) == text


def test_fields_are_spelled_as_they_were_made():
    assert repr(Q.attribute("status")) == "Q.attribute('status')"
    assert repr(Q.attribute("newer")) == "Q.attribute('newer')"
    assert repr(Q.fields["any key"]) == "Q.fields['any key']"
