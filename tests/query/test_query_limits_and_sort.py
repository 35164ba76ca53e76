"""What one request carries, and in which order it answers."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from persona_cases.errors import InvalidArgumentError, QueryError, QueryTooComplexError, UnknownAttributeError
from persona_cases.query import Q, SearchLimits, Sort
from persona_cases.query.attributes import SEARCHABLE

A = Q.status.eq("a")


@pytest.mark.parametrize(
    "predicate", [A, ~A, A & A, A & ~A, A & (A | A), Q.all_of([A]), Q.all_of([A] * 20) | A, Q.fields.n.in_(range(20))]
)
def test_what_fits(predicate):
    SearchLimits().check(predicate)


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        (A & (A | ~A), "nests 3 levels .* allows 2"),
        (~~~A, "nests 3 levels"),
        (Q.fields.n.in_(range(21)), "21 clauses .* allows 20"),
        (Q.all_of([]), "no clause"),
        (~Q.any_of([]), "no clause"),
        (Q.all_of([A] * 21) & ~(A | ~A), "4 levels.*22 clauses"),
    ],
)
def test_what_does_not_fit_is_counted(predicate, found):
    with pytest.raises(QueryTooComplexError, match=found):
        SearchLimits().check(predicate)


def test_limits_are_a_value():
    SearchLimits(max_depth=3).check(A & (A | ~A))
    assert SearchLimits(max_clauses=20) == SearchLimits()
    assert hash(SearchLimits()) == hash(SearchLimits(2, 20))
    for wrong in (0, -1, True, 2.0, "2", None):
        with pytest.raises(InvalidArgumentError, match="max_depth"):
            SearchLimits(max_depth=wrong)
        with pytest.raises(InvalidArgumentError, match="max_clauses"):
            SearchLimits(max_clauses=wrong)


@pytest.mark.parametrize(
    ("sort", "json"),
    [
        (Q.created_at.desc(), {"attribute": "created_at", "direction": "desc"}),
        (Q.fields.priority.asc(), {"attribute": "fields.priority", "direction": "asc"}),
        (Q.attribute("newer").desc(), {"attribute": "newer", "direction": "desc"}),
        (Sort("status", "asc"), {"attribute": "status", "direction": "asc"}),
        (Sort.parse("created_at"), {"attribute": "created_at", "direction": "asc"}),
        (Sort.parse(" -created_at "), {"attribute": "created_at", "direction": "desc"}),
        (Sort.parse("created_at:desc"), {"attribute": "created_at", "direction": "desc"}),
        (Sort.parse("fields.a:b:asc"), {"attribute": "fields.a:b", "direction": "asc"}),
    ],
)
def test_sorts(sort, json):
    assert sort.to_dict() == json
    assert eval(repr(sort), {"Q": Q}) == sort
    assert pickle.loads(pickle.dumps(sort)) == sort == copy.deepcopy(sort)
    assert hash(copy.copy(sort)) == hash(sort)


@pytest.mark.parametrize(
    ("make", "kind", "hint"),
    [
        (Q.tag_id.desc, QueryError, "cannot sort by tag_id: choose one of template"),
        (lambda: Q.attribute("tag_id").asc(), QueryError, "cannot sort by tag_id"),
        (lambda: Sort("resolution", "asc"), QueryError, "cannot sort by resolution"),
        (lambda: Sort("create_at", "asc"), UnknownAttributeError, "did you mean created_at"),
        (lambda: Sort("zzz", "asc"), UnknownAttributeError, "sla_expires_at, .*, or fields"),
        (lambda: Sort("", "asc"), QueryError, "empty"),
        (lambda: Sort("fields.", "asc"), UnknownAttributeError, "fields"),
        (lambda: Sort("status", "down"), QueryError, "asc or desc"),
        (lambda: Sort.parse("status:down"), QueryError, "asc or desc"),
        (lambda: Sort.parse("-status:asc"), QueryError, "no attribute"),
        (lambda: Sort.parse(""), QueryError, "empty"),
    ],
)
def test_sorts_that_cannot_work(make, kind, hint):
    with pytest.raises(kind, match=hint):
        make()


def test_sorts_are_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Q.created_at.asc().direction = "desc"


def test_whether_complements_are_free_is_said_by_name():
    assert [field.name for field in attrs.fields(SearchLimits) if not field.kw_only] == ["max_depth", "max_clauses"]


def test_what_cannot_be_sorted_by_is_answered_with_all_that_can():
    with pytest.raises(QueryError) as caught:
        Sort("tag_id", "asc")
    offered = str(caught.value).partition("choose one of ")[2].removesuffix(", or fields.<key>").split(", ")
    assert [Sort(name).attribute for name in offered] == offered
    for name in SEARCHABLE.keys() - offered:
        with pytest.raises(QueryError):
            Sort(name)


@pytest.mark.parametrize(
    ("predicate", "depth", "with_free_complements"),
    [
        (Q.status.eq("open"), 0, 0),
        (~Q.status.eq("open"), 1, 0),
        (Q.any_of([]), 1, 1),
        (~Q.any_of([]), 2, 2),
        (Q.status.eq("open") | Q.fields.a.eq(1), 1, 1),
        (Q.status.eq("open") | ~Q.fields.a.eq(1), 2, 1),
        (Q.status.eq("open") | (Q.fields.a.eq(1) & ~Q.fields.b.eq(1)), 3, 2),
    ],
)
def test_levels_are_counted_as_the_limits_say(predicate, depth, with_free_complements):
    assert SearchLimits().depth(predicate) == depth
    assert SearchLimits(count_negated_leaf=False).depth(predicate) == with_free_complements
