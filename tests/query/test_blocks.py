"""Blocks by hand: which comparisons are related, and when two blocks are one."""

from __future__ import annotations

import pytest

from persona_cases.query import Q, plan
from persona_cases.query.intervals import axis_of
from persona_cases.query.nodes import AllOf, AnyOf, Not
from persona_cases.query.planner.blocks import EVERYTHING, Capacity, Vocabulary, disjoined, split
from persona_cases.query.planner.covers import Cover, Covers


@pytest.mark.parametrize(
    ("leaf", "axis"),
    [
        (Q.fields.amount.eq(1), ("fields.amount", "number")),
        (Q.fields.amount.gt(2.5), ("fields.amount", "number")),
        (Q.fields.other.gt(2.5), ("fields.other", "number")),
        (Q.fields.amount.eq("1"), None),
        (Q.fields.amount.eq(value=True), None),
        (Q.created_at.gt("2025-06-01"), ("created_at", "date")),
        (Q.created_at.lt("2025-06-02"), ("created_at", "date")),
        (Q.created_at.gt("2025-06-01T12:00:00Z"), ("created_at", "moment")),
        (Q.updated_at.gt("2025-06-01T12:00:00Z"), ("updated_at", "moment")),
        (Q.status.eq("2025-06-01"), None),
    ],
)
def test_comparisons_are_related_on_one_axis(leaf, axis):
    assert axis_of(leaf) == axis


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("own", [1, 2, 3])
@pytest.mark.parametrize("other", [1, 2, 3])
def test_two_blocks_are_one_up_to_twice_the_width(width, own, other):
    left = [Q.fields[f"a{number}"].eq("x") for number in range(own)]
    right = [Q.fields[f"b{number}"].eq("x") for number in range(other)]
    common = Q.fields.c.eq("x")
    vocabulary = Vocabulary(Q.all_of([*left, *right, common]))
    capacity = Capacity(width, nested=True, free_complements=False)

    def literal(leaf):
        return vocabulary.literal(leaf, negated=False)

    def block(leaves):
        return frozenset(frozenset((literal(leaf),)) for leaf in [*leaves, common])

    found = disjoined(block(left), block(right), vocabulary, capacity)

    if own * other > 2 * width:
        assert found is None
    else:
        pairs = {frozenset((literal(one), literal(two))) for one in left for two in right}
        assert found == {frozenset((literal(common),)), *pairs}


@pytest.mark.parametrize(
    ("lists", "others", "width", "nested", "count"),
    [
        # Each list takes a place of its own until it is cut; what is free shares an `or`.
        (2, 0, 2, True, 1),
        (3, 0, 2, True, 4),
        (4, 0, 2, True, 16),
        (3, 0, 3, True, 1),
        (1, 2, 2, True, 1),
        (1, 3, 2, True, 2),
        # Without nesting, a list is its values.
        (1, 1, 2, False, 2),
        (2, 0, 2, False, 4),
        (1, 1, 1, False, float("inf")),
    ],
)
def test_a_block_is_split_into_as_few_as_have_room(lists, others, width, nested, count):
    leaves = [[Q.fields[f"a{number}"].eq(value) for value in "xy"] for number in range(lists)]
    leaves += [[Q.fields[f"b{number}"].eq("x")] for number in range(others)]
    vocabulary = Vocabulary(Q.all_of([leaf for clause in leaves for leaf in clause]))
    block = frozenset(frozenset(vocabulary.literal(leaf, negated=False) for leaf in clause) for clause in leaves)
    capacity = Capacity(width, nested=nested, free_complements=False)

    assert split(block, vocabulary, capacity, most=1).count == count
    found = split(block, vocabulary, capacity, most=100).blocks
    assert (found is None) is (count == float("inf"))
    assert all(capacity.holds(each) for each in found or ())


@pytest.mark.parametrize(("nested", "most"), [(True, 9), (False, 3)])
def test_one_search_holds_a_list_as_long_as_its_levels_are_wide(nested, most):
    capacity = Capacity(3, nested=nested, free_complements=False)
    assert capacity.holds(frozenset((frozenset(range(most)),)))
    assert not capacity.holds(frozenset((frozenset(range(most + 1)),)))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ([Q.fields.x.gt(5), Q.fields.x.gt(3)], [Q.fields.x.gt(5)]),
        ([Q.fields.x.gt(5), Q.fields.x.gt(3), Q.status.eq("a")], [Q.fields.x.gt(5), Q.status.eq("a")]),
        ([Q.fields.x.gt(5), Q.fields.y.gt(3)], [Q.fields.x.gt(5), Q.fields.y.gt(3)]),
        ([Q.created_at.lt("2025-01-01"), Q.created_at.gt("2025-01-01")], None),
    ],
    ids=str,
)
def test_what_others_imply_is_dropped_from_literals(written, kept):
    vocabulary = Vocabulary(Q.all_of(written))

    def literals(leaves):
        return frozenset(vocabulary.literal(leaf, negated=False) for leaf in leaves)

    assert vocabulary.without_needless(literals(written)) == (None if kept is None else literals(kept))


@pytest.mark.parametrize(
    ("free", "lists", "nested", "slots"),
    # Up to the width each has a place of its own; of more, those that are free share one.
    [
        (1, 0, True, 1),
        (3, 0, True, 3),
        (4, 0, True, 2),
        (7, 0, True, 3),
        (2, 1, True, 3),
        (3, 1, True, 2),
        (4, 0, False, 4),
        (0, 1, False, 1),
        (1, 1, False, float("inf")),
    ],
)
def test_how_many_places_a_block_takes(free, lists, nested, slots):
    singles = [frozenset((2 * number,)) for number in range(free)]
    wide = [frozenset((100 + 4 * number, 102 + 4 * number)) for number in range(lists)]
    assert Capacity(3, nested=nested, free_complements=False).slots(frozenset([*singles, *wide])) == slots


def test_a_union_with_something_impossible_is_the_rest():
    one, other, third = Q.fields.a.eq("x"), Q.fields.b.eq("x"), Q.fields.c.eq("x")
    covers = Covers(
        Vocabulary(Q.all_of([one, other, third])), Capacity(3, nested=True, free_complements=False), most=10
    )
    united = covers.any_of([covers.of(one & other), Cover.of(None), covers.of(one & third)])
    assert united.whole is not None
    assert united == covers.any_of([covers.of(one & other), covers.of(one & third)])


def test_a_comparison_or_its_complement_is_everything():
    leaf, other = Q.status.eq("open"), Q.fields.a.eq(1)
    covers = Covers(Vocabulary(leaf & other), Capacity(3, nested=True, free_complements=False), most=10)
    assert covers.of(AnyOf((leaf, other, Not(leaf)))).whole == EVERYTHING
    assert covers.of(AnyOf((leaf, AllOf((Not(leaf), other))))).whole != EVERYTHING


def test_a_conjunction_with_something_impossible_takes_no_search():
    def impossible(name):
        one, other = Q.fields[name].eq("x"), Q.fields[f"{name}2"].eq("x")
        return (one | other) & ~one & ~other

    assert plan((impossible("a") | impossible("b")) & Q.status.eq("open")).searches == ()
