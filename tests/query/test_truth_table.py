"""What one comparison means, written by hand: the value, what a case shows, and the operators that hold."""

from __future__ import annotations

import pytest

from persona_cases.errors import QueryError
from persona_cases.query import Q, evaluate
from persona_cases.query.matching import check_decidable
from persona_cases.query.nodes import Comparison

NONE: set[str] = set()
BELOW, EQUAL, ABOVE = {"lt", "lte"}, {"eq", "lte", "gte"}, {"gt", "gte"}

# For a custom field: what is shown, what it is compared with, which operators hold.
CUSTOM = [
    (1, 1, EQUAL),
    (1, 1.0, EQUAL),
    (1.0, 1, EQUAL),
    (0, 1, BELOW),
    (2, 1, ABOVE),
    (0.1, 0.2, BELOW),
    (2**53 + 1, float(2**53), ABOVE),
    (0, -0.0, EQUAL),
    # A bool equals a bool, and has no order; a number is none.
    (True, True, {"eq"}),
    (False, False, {"eq"}),
    (True, False, NONE),
    (False, True, NONE),
    (1, True, NONE),
    (0, False, NONE),
    (True, 1, NONE),
    (False, 0, NONE),
    (True, 1.0, NONE),
    (True, 0, NONE),
    ("true", True, NONE),
    (True, "true", NONE),
    # A text is no number.
    ("1", 1, NONE),
    (1, "1", NONE),
    ("", 0, NONE),
    # Texts.
    ("a", "a", EQUAL),
    ("a", "b", BELOW),
    ("b", "a", ABOVE),
    ("a", "A", ABOVE),
    ("", "", EQUAL),
    ("", "a", BELOW),
    ("10", "9", BELOW),
    # ISO dates and moments, whatever their texts look like.
    ("2026-01-31", "2026-01-31", EQUAL),
    ("2026-01-31", "2026-01-31T00:00:00Z", EQUAL),
    ("2026-01-31T00:00:00Z", "2026-01-31", EQUAL),
    ("2026-01-31T01:00:00+01:00", "2026-01-31T00:00:00.000Z", EQUAL),
    ("2026-01-31T00:30:00+01:00", "2026-01-31", BELOW),
    ("2026-01-31T00:00:00.001Z", "2026-01-31", ABOVE),
    ("2026-01-30", "2026-01-31T00:00:00+14:00", BELOW),
    # One of them is none: then they are texts.
    ("2026-01-31", "2026-01-31T00:00:00", BELOW),
    ("2026-01-31T00:00:00", "2026-01-31T00:00:00Z", BELOW),
    ("2026-1-31", "2026-01-31", ABOVE),
    ("2026-02-30", "2026-02-30", EQUAL),
    ("today", "2026-01-31", ABOVE),
    # Nothing is shown.
    (None, 1, NONE),
    (None, "a", NONE),
    (None, "", NONE),
    (None, False, NONE),
    ((), "a", NONE),
    # Any of several.
    ((1, 5), 3, {"lt", "lte", "gt", "gte"}),
    ((1, 3), 3, {"lt", "lte", "eq", "gte"}),
    (("a", 1), "a", EQUAL),
    ((None, True), True, {"eq"}),
]
STATUS = [
    ("open", "open", EQUAL),
    ("Open", "open", BELOW),
    ("2026-01-31", "2026-01-31T00:00:00Z", BELOW),  # texts, whatever they look like
    (1, "1", NONE),
    (None, "open", NONE),
]
CREATED_AT = [
    ("2026-01-31T00:00:00.000Z", "2026-01-31", EQUAL),
    ("2026-01-31T02:00:00+02:00", "2026-01-31T00:00:00Z", EQUAL),
    ("2026-01-30T23:59:59.999999Z", "2026-01-31", BELOW),
    ("2026-01-31T00:00:00.000001Z", "2026-01-31", ABOVE),
    ("never", "never", NONE),  # no moments: nothing holds
    ("never", "2026-01-31", NONE),
    ("2026-01-31", "never", NONE),
    (1, "2026-01-31", NONE),
    ("2026-01-31", 1, NONE),
    (None, "2026-01-31", NONE),
]
TABLE = [
    *(("fields.x", *row) for row in CUSTOM),
    *(("newer_than_this_library", *row) for row in CUSTOM),
    *(("status", *row) for row in STATUS),
    *(("created_at", *row) for row in CREATED_AT),
]


@pytest.mark.parametrize(("attribute", "shown", "value", "holding"), TABLE)
def test_what_holds(attribute, shown, value, holding):
    found = {
        operator
        for operator in ("eq", "lt", "lte", "gt", "gte")
        if evaluate(Comparison(attribute, operator, value), lambda _: shown)
    }
    assert found == holding


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [(False, False, False, False), (False, True, False, True), (True, False, False, True), (True, True, True, True)],
)
def test_and_or_not(left, right, both, either):
    a, b = Q.fields.a.eq(True), Q.fields.b.eq(True)
    shown = {"fields.a": left, "fields.b": right}.get
    assert evaluate(a & b, shown) is both
    assert evaluate(a | b, shown) is either
    assert evaluate(~a, shown) is (not left)
    assert evaluate(~~a, shown) is left
    assert evaluate(Q.all_of([]), shown) is True
    assert evaluate(Q.any_of([]), shown) is False


def test_a_missing_value_makes_a_comparison_false_and_its_complement_true():
    for operator in ("eq", "lt", "lte", "gt", "gte"):
        leaf = Comparison("fields.x", operator, 1)
        assert not evaluate(leaf, lambda _: None)
        assert evaluate(~leaf, lambda _: None)


DECIDABLE = [
    *(getattr(Q, name).eq("x") for name in ("status", "resolution", "template", "case_template_id", "case_queue")),
    *(getattr(Q, name).eq("x") for name in ("case_queue_id", "account_id", "inquiry_id", "assignee", "resolver")),
    *(getattr(Q, name).is_set() for name in ("created_at", "updated_at", "resolved_at", "sla_expires_at")),
    Q.fields.anything.gt(1),
    Q.assignee.eq("ana@example.com") & ~Q.fields["any key"].eq(True),
    Q.status.eq("user_1"),
    Q.all_of([]),
]


@pytest.mark.parametrize("predicate", DECIDABLE, ids=str)
def test_what_a_case_shows_can_be_decided_on_it(predicate):
    check_decidable(predicate)


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        (Q.state.eq("open"), "state can ?not .*: cases do not show it"),
        (Q.tag_id.eq("tag_1"), "tag_id .*names of their tags"),
        (Q.attribute("newer").eq(1), "newer .*does not know the attribute"),
        (Q.attribute("fields.").eq(1), "does not know the attribute"),
        (Q.assignee.eq("user_1"), "assignee .*user id"),
        (Q.resolver.in_(["ana@example.com", "user_1"]), "resolver .*user id"),
        (Q.status.eq("open") & (Q.fields.n.eq(1) | ~Q.state.eq("x")), "state"),
    ],
    ids=str,
)
def test_what_no_case_shows_is_refused_before_the_first_one(predicate, reason):
    with pytest.raises(QueryError, match=reason):
        check_decidable(predicate)
