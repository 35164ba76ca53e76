"""How many searches wide lists take, around the width of a node."""

from __future__ import annotations

import pytest

from persona_cases.query import Q, SearchLimits, plan

ROOMY = 100


def values(count):
    return [f"value {number}" for number in range(count)]


def pairs(count):
    """Conjunctions that have nothing in common, each a clause of an `or`."""
    return [Q.fields[f"a{number}"].eq(1) & Q.fields[f"b{number}"].eq(1) for number in range(count)]


def lists_beside_a_complement(count):
    """Blocks that have no room in an `or`: each takes a search of its own."""
    return [Q.fields[f"a{number}"].in_(["x", "y"]) & ~Q.fields[f"b{number}"].eq(1) for number in range(count)]


@pytest.mark.parametrize("width", [1, 2, 3, 20])
@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("full", [1, 2, 3])
def test_a_list_takes_as_many_searches_as_it_has_squares_of_the_width(width, full, beyond):
    count = full * width**2 + beyond
    if count < 1:
        return
    limits = SearchLimits(max_clauses=width)
    searches = plan(Q.fields.x.in_(values(count)), limits, ROOMY).searches
    assert len(searches) == -(-count // width**2)
    assert all(limits.admit(search) for search in searches)


@pytest.mark.parametrize("width", [2, 3, 20])
@pytest.mark.parametrize(("count", "searches"), [(-1, 1), (0, 1), (1, 2)])
def test_terms_share_a_search_up_to_the_width(width, count, searches):
    assert len(plan(Q.any_of(pairs(width + count)), SearchLimits(max_clauses=width), ROOMY).searches) == searches
    assert (
        len(plan(Q.any_of(pairs(2 * width + count)), SearchLimits(max_clauses=width), ROOMY).searches) == 1 + searches
    )


@pytest.mark.parametrize("width", [2, 3, 4, 20])
@pytest.mark.parametrize("conjunctions", [0, 1, 2, 3, 19, 20])
def test_single_comparisons_are_gathered_where_that_makes_room(width, conjunctions):
    for singles in (1, 4, 5, 19, 20, 21) if conjunctions == 0 else (0, 1, 4, 5, 19, 20, 21):
        parts = [*pairs(conjunctions), *(Q.fields[f"s{number}"].eq(1) for number in range(singles))]
        gathered = conjunctions + -(-singles // width)
        fewest = 1 if len(parts) <= width else -(-gathered // width)
        assert len(plan(Q.any_of(parts), SearchLimits(max_clauses=width), ROOMY).searches) == fewest


def test_lists_become_terms_beside_gathered_comparisons():
    # The five comparisons gathered take one place, the four terms of two lists the others.
    crowded = Q.all_of([Q.fields[name].in_(values(4)) for name in "abcd"])
    lists = [
        Q.all_of([Q.fields[f"l{row}"].in_(["x", "y"]), *(Q.fields[f"m{row}{it}"].eq(1) for it in range(beside))])
        for row, beside in enumerate([1, 3])
    ]
    singles = [Q.fields[f"s{number}"].eq(1) for number in range(5)]
    where = Q.any_of([crowded, *lists, *singles])
    assert len(plan(where, SearchLimits(max_clauses=5), ROOMY).searches) == 2


@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_what_has_no_room_beside_others_takes_a_search_of_its_own(count):
    where = Q.any_of(lists_beside_a_complement(count))
    assert len(plan(where, SearchLimits(max_clauses=3), ROOMY).searches) == count


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_list_beside_something_else_is_cut_at_the_width(beyond):
    where = Q.fields.x.in_(values(40 + beyond)) & ~Q.status.eq("open")
    assert len(plan(where).searches) == 2 + (beyond > 0)


def test_as_many_searches_are_allowed_as_are_said():
    where = Q.fields.x.in_(values(800))
    assert len(plan(where, max_searches=2).searches) == 2
    with pytest.raises(ValueError, match="at least 2 searches, but max_searches allows 1 search") as caught:
        plan(where, max_searches=1)
    assert caught.value.searches_needed == 2


def test_everything_is_one_search():
    assert len(plan(Q.all_of([]), SearchLimits(), 1).searches) == 1


@pytest.mark.parametrize(
    ("singles", "lists", "length", "beside", "searches"),
    [
        # Two lists are four terms, which share a search of width four; as lists they take one each.
        (0, 2, 2, 1, 2),
        (0, 2, 2, 3, 2),
        # With five clauses a block is no term any more.
        (0, 2, 2, 4, 3),
        # Single comparisons are gathered in one place where terms need the others, and not before.
        (4, 2, 2, 1, 3),
        (5, 2, 3, 1, 3),
    ],
)
def test_lists_are_written_as_terms_where_that_saves_searches(singles, lists, length, beside, searches):
    # 256 combinations: too many for everything to be written as terms.
    crowded = Q.all_of([Q.fields[name].in_(values(4)) for name in "abcd"])
    listed = [
        Q.all_of([Q.fields[f"l{row}"].in_(values(length)), *(Q.fields[f"m{row}{it}"].eq(1) for it in range(beside))])
        for row in range(lists)
    ]
    where = Q.any_of([crowded, *listed, *(Q.fields[f"s{number}"].eq(1) for number in range(singles))])
    assert len(plan(where, SearchLimits(max_clauses=4), ROOMY).searches) == searches
