"""What a stranger may ask: which place is refused, and that nothing of it is repeated."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import predicates

from persona_cases.errors import InvalidArgumentError, QueryError
from persona_cases.query import Q
from persona_cases.query.nodes import leaves_of

A, B, SECRET = Q.status.eq("a"), Q.fields.priority.eq("b"), Q.fields["secret key"].eq("secret value")


@pytest.mark.parametrize(
    ("where", "allow"),
    [
        (A, {"status"}),
        (A & ~B, {"status", "fields.priority"}),
        (A & ~B, ["status", "fields.*"]),
        (Q.all_of([]), set()),
        (A & SECRET, None),
        (Q.attribute("newer").eq(1), {"newer"}),
    ],
)
def test_what_may_be_asked(where, allow):
    where.check(allow=allow)


@pytest.mark.parametrize(
    ("where", "allow", "pointer"),
    [
        (SECRET, {"status"}, "/attribute"),
        (A & SECRET, {"status"}, "/and/1/attribute"),
        (A | ~(B & SECRET), {"status", "fields.priority"}, "/or/1/not/and/1/attribute"),
        (SECRET & Q.state.eq("x"), set(), "/and/0/attribute"),
        (Q.attribute("fields.").eq("x"), {"fields.*"}, "/attribute"),
        (Q.attribute("fields").eq("x"), {"fields.*"}, "/attribute"),
        (Q.attribute("fields.*").eq("x") & A, {"fields.*"}, "/and/1/attribute"),
    ],
)
def test_other_attributes_are_refused(where, allow, pointer):
    with pytest.raises(QueryError, match="may be searched|may not be searched") as caught:
        where.check(allow=allow)
    assert caught.value.pointer == pointer
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "max_depth", "pointer"),
    [
        (~A, 0, ""),
        (A & ~B, 1, "/and/1"),
        (A & ~(B | ~A), 2, "/and/1/not"),
        (A & ~(B | ~A), 3, "/and/1/not/or/1"),
        (Q.any_of([A, Q.all_of([])]), 1, "/or/1"),
    ],
)
def test_the_first_node_that_is_too_deep_is_named(where, max_depth, pointer):
    with pytest.raises(QueryError, match=f"at most {max_depth} levels") as caught:
        where.check(max_depth=max_depth)
    assert caught.value.pointer == pointer


def test_the_first_comparison_too_many_is_named():
    where = A & (B | ~A) & SECRET
    where.check(max_leaves=4)
    with pytest.raises(QueryError, match="at most 3") as caught:
        where.check(max_leaves=3)
    assert caught.value.pointer == "/and/2"
    with pytest.raises(QueryError, match="at most 2") as caught:
        where.check(max_leaves=2)
    assert caught.value.pointer == "/and/1/or/1/not"


@given(predicates)
def test_depth_and_size_are_those_of_the_expression(predicate):
    leaves = len(leaves_of(predicate))
    predicate.check(max_depth=predicate.depth, max_leaves=max(leaves, 1))
    if predicate.depth:
        with pytest.raises(QueryError, match="nests deeper"):
            predicate.check(max_depth=predicate.depth - 1)
    if leaves > 1:
        with pytest.raises(QueryError, match="more comparisons"):
            predicate.check(max_leaves=leaves - 1)


@given(predicates, st.sets(st.sampled_from(["status", "state", "created_at", "fields.priority", "fields.*"])))
def test_allowed_is_exactly_what_is_listed(predicate, allow):
    custom = "fields.*" in allow
    names = {leaf.attribute for leaf in leaves_of(predicate)}
    fine = all(name in allow or (custom and name.startswith("fields.") and name != "fields.") for name in names)
    try:
        predicate.check(allow=allow)
    except QueryError:
        assert not fine
    else:
        assert fine


@pytest.mark.parametrize(
    ("count", "told"), [(19, "f17, f18"), (20, "f18, f19"), (21, "f18, f19 and 1 more"), (25, "f18, f19 and 5 more")]
)
def test_a_long_list_of_what_is_allowed_is_cut(count, told):
    with pytest.raises(QueryError, match=rf"f00, .*{told} \(at /attribute\)"):
        A.check(allow={f"f{number:02}" for number in range(count)})


def test_a_deep_expression_is_refused_without_reading_all_of_it():
    deep = functools.reduce(lambda inner, _: ~inner, range(10_000), A)
    with pytest.raises(QueryError, match="at most 50 levels"):
        deep.check(max_depth=50)


@pytest.mark.parametrize(
    "arguments",
    [
        {"allow": "status"},
        {"allow": 5},
        {"allow": ["status", 5]},
        {"max_depth": -1},
        {"max_depth": "2"},
        {"max_depth": True},
        {"max_leaves": 0},
        {"max_leaves": 2.5},
    ],
)
def test_arguments_are_checked(arguments):
    with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
        A.check(**arguments)
