"""The planner: any expression as searches within the limits, with the same meaning."""

import copy
import pickle
import random
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees

from persona_cases.errors import InvalidArgumentError, QueryTooComplexError, QueryTypeError
from persona_cases.query import Predicate, Q, SearchLimits, evaluate, parse, plan
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Not

A, B, C, D, E, F, G = (Q.fields[name].eq(1) for name in "abcdefg")


def fields(count: int, value: object = 1) -> list[Predicate]:
    return [Q.fields[f"f{number}"].eq(value) for number in range(count)]


def names(count: int) -> list[str]:
    return [f"name {number}" for number in range(count)]


moments = st.integers(0, 6).map(lambda day: (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat())
days = st.integers(1, 7).map("2025-01-{:02}".format)
numbers = st.integers(0, 4) | st.sampled_from([0.5, 1.0, 2.5])
operators = st.sampled_from(["eq", "gt", "gte", "lt", "lte"])
leaves = st.one_of(
    st.builds(Comparison, st.sampled_from(["fields.x", "fields.y", "fields.z"]), operators, numbers),
    st.builds(Comparison, st.sampled_from(["created_at", "resolved_at"]), operators, moments | days),
    st.builds(Comparison, st.sampled_from(["status", "tag_id"]), st.just("eq"), st.sampled_from("abcd")),
    st.builds(Comparison, st.just("fields.x"), operators, st.sampled_from([True, False, "1", "b"])),
)
several_valued = st.none() | numbers | st.sampled_from([True, "1", "b"]) | st.lists(numbers, max_size=3).map(tuple)
shown_cases = st.fixed_dictionaries(
    {
        "fields.x": several_valued,
        "fields.y": several_valued,
        "fields.z": several_valued,
        "created_at": moments,
        "resolved_at": st.none() | moments,
        "status": st.sampled_from("abcd"),
        "tag_id": st.lists(st.sampled_from("abcd"), max_size=3).map(tuple),
    }
)
some_limits = st.builds(
    SearchLimits, st.integers(1, 4), st.integers(1, 5) | st.just(20), count_negated_leaf=st.booleans()
)


def finds(searches: tuple[Predicate | None, ...], case: dict[str, object]) -> bool:
    return any(search is None or evaluate(search, case.get) for search in searches)


@given(
    trees(leaves, max_leaves=25), some_limits | st.just(SearchLimits()), st.lists(shown_cases, min_size=8, max_size=8)
)
def test_a_plan_finds_what_the_expression_says_within_the_limits(where, limits, cases):
    try:
        searches = plan(where, limits, max_searches=200).searches
    except QueryTooComplexError:
        # Which expressions may be refused is told by examples below.
        return
    for search in searches:
        if search is not None:
            limits.check(search)
            assert limits.admit(search)
    for case in cases:
        assert finds(searches, case) is evaluate(where, case.get)


@given(trees(leaves, max_leaves=25), st.lists(shown_cases, min_size=4, max_size=4))
def test_simplifying_by_ranges_keeps_the_meaning(where, cases):
    for case in cases:
        assert evaluate(where.simplify(), case.get) is evaluate(where, case.get)


def wide_and_deep(rng: random.Random, leaves: int) -> Predicate:
    if leaves == 1:
        leaf = Q.fields[f"f{rng.randrange(12)}"].eq(1)
        return ~leaf if rng.random() < 0.3 else leaf
    parts = rng.randint(2, min(leaves, 6))
    cuts = sorted(rng.sample(range(1, leaves), parts - 1))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, leaves], strict=True)]
    joined = (Q.all_of if rng.random() < 0.5 else Q.any_of)(wide_and_deep(rng, size) for size in sizes)
    return ~joined if rng.random() < 0.15 else joined


@pytest.mark.parametrize("seed", range(60))
def test_large_random_expressions_keep_their_meaning(seed):
    rng = random.Random(seed)
    where = wide_and_deep(rng, rng.choice([5, 12, 30, 80, 200]))
    searches = plan(where, max_searches=10_000).searches
    for search in searches:
        assert search is None or SearchLimits().admit(search)
    for _ in range(60):
        case = {f"fields.f{number}": rng.choice([None, 1]) for number in range(12)}
        assert finds(searches, case) is evaluate(where, case.get)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        pytest.param(Q.status.in_(names(400)), 1, id="a wide list is nested"),
        pytest.param(Q.status.in_(names(2000)), 5, id="a very wide list is cut"),
        pytest.param(Q.status.not_in(names(20)), 1, id="complements fill an and"),
        pytest.param(~Q.all_of(fields(25)), 2, id="complements fill an or"),
        pytest.param(~(A | B) & C, 1, id="De Morgan saves a level"),
        pytest.param(~(A & B) & C, 2, id="a complement has no room in an or below an and"),
        pytest.param(((A | B) & C) | ((D | E) & F), 1, id="terms share a search"),
        pytest.param(((A & B) | (C & D)) & ((E & F) | G), 1, id="unions inside become clauses"),
        pytest.param(Q.any_of(each & ~A for each in fields(20)), 1, id="a common complement is factored out"),
        pytest.param(Q.any_of([B & ~A, C & ~A, D & ~E, F & ~E]), 2, id="common complements by groups"),
        pytest.param(
            Q.any_of(each & ~other for each, other in zip(fields(9), fields(9, 2), strict=True)), 9, id="none"
        ),
        pytest.param(Q.all_of(Q.fields[f"f{n}"].in_(range(20)) for n in range(20)), 1, id="full as can be"),
        pytest.param(Q.all_of(a | b for a, b in zip(fields(22), fields(22, 2), strict=True)), 8, id="too many ors"),
        pytest.param(
            Q.any_of(a & b for a in fields(20) for b in fields(20, 2)), 1, id="a grid of terms is two clauses"
        ),
        pytest.param(Q.status.in_(names(300)) & A, 15, id="a wide list beside something else is cut"),
        pytest.param(Q.all_of(fields(400)), 1, id="four hundred together"),
        pytest.param((A & Q.fields.x.gt(5)) | (A & Q.fields.x.gt(1)), 1, id="ranges"),
    ],
)
def test_how_many_searches_a_plan_takes(where, count):
    searches = plan(where).searches
    assert len(searches) == count
    for search in searches:
        SearchLimits().check(search)


@pytest.mark.parametrize(
    ("where", "simple"),
    [
        (Q.fields.x.gt(1) & Q.fields.x.gte(3), Q.fields.x.gte(3)),
        (Q.fields.x.gt(1) | Q.fields.x.gte(3), Q.fields.x.gt(1)),
        (Q.fields.x.gt(3) & Q.fields.x.gte(3), Q.fields.x.gt(3)),
        (Q.fields.x.lt(1) & Q.fields.x.lt(1.0), None),
        (Q.fields.x.eq(5) & Q.fields.x.gt(1), Q.fields.x.eq(5)),
        (Q.fields.x.eq(5) | Q.fields.x.gt(1), Q.fields.x.gt(1)),
        (~Q.fields.x.gt(1) & ~Q.fields.x.gt(5), ~Q.fields.x.gt(1)),
        (~Q.fields.x.gt(1) & ~Q.fields.x.eq(5), ~Q.fields.x.gt(1)),
        (Q.fields.x.gt(5) & ~Q.fields.x.gt(1), Q.any_of([])),
        (~Q.fields.x.gt(5) | Q.fields.x.gt(1), Q.all_of([])),
        (Q.created_at.gt("2025-01-02") & Q.created_at.lt("2025-01-01"), Q.any_of([])),
        (Q.created_at.eq("2025-01-01") & Q.created_at.eq("2025-01-02"), Q.any_of([])),
    ],
)
def test_ranges_on_one_attribute_are_merged(where, simple):
    assert where.simplify() == simple if simple is not None else len(where.simplify().parts) == 0


@pytest.mark.parametrize(
    "where",
    [
        Q.fields.x.gt(5) & Q.fields.x.lt(1),
        Q.fields.x.eq(1) & Q.fields.x.eq(2),
        Q.tag_id.eq("a") & Q.tag_id.eq("b"),
        Q.status.eq("open") & Q.status.eq("Open"),
        Q.created_at.gte("2025-01-01") & Q.created_at.gte("2025-01-01T05:00:00Z"),
        Q.created_at.gt("2025-01-01") | Q.created_at.lte("2025-01-01"),
        Q.fields.x.gt("b") & Q.fields.x.gt("a"),
        ~Q.fields.x.gt(1) & ~Q.fields.x.lte(1),
    ],
)
def test_nothing_is_assumed_of_values_that_the_api_does_not_say(where):
    assert where.simplify() == where
    assert plan(where).searches == (where,)


def test_what_fits_is_sent_as_it_was_written():
    written = Predicate.from_dict({"and": [{"not": {"not": A.to_dict()}}, {"or": [B.to_dict()]}]})
    assert plan(written, SearchLimits(max_depth=3)).searches == (written,)
    assert plan(written).searches == (A & B,)


def test_constants_need_no_search_or_find_all():
    assert plan(None).searches == (None,)
    assert plan(A | ~A).searches == (None,)
    assert plan(A & ~A).searches == ()
    assert plan((A | B) & ~A & ~B).searches == ()
    assert plan(Q.any_of([])).searches == ()


def test_a_plan_is_the_same_each_time():
    where = ((A | ~B) & C & (D | ~E)) | (F & ~G)
    assert plan(where) == plan(parse(str(where)))


def test_limits_may_be_other_than_the_apis():
    where = (A | ~B) & (C | ~D)
    assert len(plan(where).searches) == 4
    assert plan(where, SearchLimits(max_depth=3)).searches == (where,)
    assert plan(where, SearchLimits(count_negated_leaf=False)).searches == (where,)
    assert len(plan(Q.status.not_in(names(400)), SearchLimits(count_negated_leaf=False)).searches) == 1
    assert len(plan(A & B & C, SearchLimits(max_depth=1, max_clauses=3)).searches) == 1
    assert len(plan((A | B) & C, SearchLimits(max_depth=1)).searches) == 2


def exploding(value: object) -> Predicate:
    return Q.all_of(Q.any_of(~Q.fields[f"f{n}"].eq(f"{value}{m}") for m in range(20)) for n in range(20))


def test_what_takes_too_many_searches_is_refused_soon_and_small():
    tracemalloc.start()
    try:
        with pytest.raises(QueryTooComplexError, match="at least 10\\^24 searches, but max_searches allows 16"):
            plan(exploding("secret"))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_the_part_that_takes_too_much_is_named_and_not_quoted():
    with pytest.raises(QueryTooComplexError) as caught:
        plan(A | (B & exploding("secret")))
    error = caught.value
    assert error.pointer == "/or/1"
    assert error.searches_needed is not None
    assert error.searches_needed > 16
    assert "the `and` of 21 clauses at /or/1" in str(error)
    assert "secret" not in str(error)
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (same.pointer, same.searches_needed, str(same)) == (error.pointer, error.searches_needed, str(error))


def test_what_no_number_of_searches_can_say_is_refused_as_such():
    with pytest.raises(QueryTooComplexError, match="no number of searches can express it: one search has room for 20"):
        plan(A | Q.status.not_in(names(21)))
    with pytest.raises(QueryTooComplexError) as caught:
        plan(A | ~(B & C) | Q.all_of(fields(401)))
    assert caught.value.searches_needed is None
    assert caught.value.pointer == "/or/2"


def test_more_searches_can_be_allowed():
    where = Q.status.in_(names(400)) & A
    with pytest.raises(QueryTooComplexError) as caught:
        plan(where)
    assert caught.value.searches_needed == 20
    assert len(plan(where, max_searches=20).searches) == 20


@pytest.mark.parametrize("size", [2_000, 10_000])
def test_deep_chains_neither_overflow_nor_take_long(size):
    where: Predicate = A
    for number in range(size):
        leaf = Q.fields[f"f{number}"].eq(number)
        where = where & leaf if number % 2 else where | leaf
    with pytest.raises(QueryTooComplexError) as caught:
        plan(where)
    assert len(str(caught.value)) < 500


def test_bad_arguments_are_refused():
    with pytest.raises(QueryTypeError, match=r"\.eq"):
        plan(Q.status == "open")
    for wrong in (0, -1, True, 1.5, "3"):
        with pytest.raises(InvalidArgumentError, match="max_searches must be a whole number"):
            plan(A, max_searches=wrong)
    with pytest.raises(TypeError):
        SearchLimits(count_negated_leaf="yes")


def test_a_plan_explains_itself():
    assert plan(A & ~A).explain().startswith("no search: no case can match")
    assert plan(A).explain() == (
        'one search\nfields.a == 1 (as written)\n   {"attribute":"fields.a","operator":"eq","value":1}'
    )
    lines = plan((A | ~B) & C).explain().splitlines()
    assert lines[0] == "2 searches, side by side, each case once"
    assert [line[:2] for line in lines[1::2]] == ["1.", "2."]


def test_not_is_never_turned_into_another_operator():
    where = ~(Q.fields.x.gt(1) | Q.fields.y.eq(2)) & (A | B)
    (search,) = plan(where).searches
    negated = [node.part for node in search.parts if isinstance(node, Not)]
    assert negated == [Q.fields.x.gt(1), Q.fields.y.eq(2)]
    assert isinstance(search, AllOf)
    assert any(isinstance(node, AnyOf) for node in search.parts)
