"""Laws that hold for every predicate."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    almost_search_json,
    almost_text,
    answerable_predicates,
    any_json,
    cases,
    comparisons,
    predicates,
    scalars,
)

from persona_cases.errors import QueryError
from persona_cases.query import Predicate, Q, SearchLimits, evaluate, parse
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Not, fold_nodes


@given(predicates)
def test_json_brings_back_the_same_tree(predicate):
    wire = json.loads(json.dumps(predicate.to_dict()))
    assert Predicate.from_dict(wire) == predicate
    assert Predicate.from_dict(wire).to_dict() == wire


@given(predicates)
def test_repr_evaluates_back_with_only_q_in_scope(predicate):
    assert eval(repr(predicate), {"__builtins__": {}, "Q": Q}) == predicate


@given(predicates)
def test_text_form_reads_back(predicate):
    assert parse(str(predicate)) == predicate


@given(predicates)
def test_pickle_and_copies(predicate):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(predicate, protocol)) == predicate
    assert copy.copy(predicate) is predicate
    assert copy.deepcopy(predicate) is predicate


@given(predicates, predicates)
def test_equality_is_that_of_the_json(left, right):
    same = json.dumps(left.to_dict()) == json.dumps(right.to_dict())
    assert (left == right) == same
    assert (left != right) == (not same)
    rebuilt = Predicate.from_dict(left.to_dict())
    assert rebuilt == left
    assert hash(rebuilt) == hash(left)


@given(scalars, scalars)
def test_leaves_differ_where_the_json_differs(one, other):
    left, right = Comparison("fields.a", "eq", one), Comparison("fields.a", "eq", other)
    if type(one) is type(other) and one == other:
        assert left == right
        assert hash(left) == hash(right)
    else:
        assert left != right


def _negations_stand_over_leaves(node, parts):
    return all(parts) and not (isinstance(node, Not) and not isinstance(node.part, Comparison))


@given(predicates)
def test_nnf_has_negations_over_leaves_only_and_as_many_leaves(predicate):
    nnf = predicate.to_nnf()
    assert fold_nodes(nnf, _negations_stand_over_leaves)
    assert _leaves(nnf) == _leaves(predicate)


def _leaves(predicate):
    return fold_nodes(predicate, lambda node, parts: 1 if isinstance(node, Comparison) else sum(parts))


def _is_simple(node, parts):
    match node:
        case Not(part):
            own = not isinstance(part, Not)
        case AllOf() | AnyOf():
            own = len(node.parts) > 1 and len(set(node.parts)) == len(node.parts)
            own = own and not any(type(part) is type(node) for part in node.parts)
        case _:
            own = True
    return own and all(parts)


@given(predicates)
def test_simplify_is_never_deeper_and_leaves_nothing_to_do(predicate):
    simple = predicate.simplify()
    assert simple.depth <= predicate.depth
    assert simple in (Q.all_of([]), Q.any_of([])) or fold_nodes(simple, _is_simple)
    assert simple.simplify() == simple


@given(answerable_predicates, cases)
def test_rewriting_changes_no_answer(predicate, case):
    expected = predicate.matches(case)
    assert predicate.simplify().matches(case) == expected
    assert predicate.to_nnf().matches(case) == expected
    assert predicate.to_nnf().simplify().to_nnf().matches(case) == expected
    assert (~predicate).matches(case) == (not expected)


@given(answerable_predicates, answerable_predicates, cases)
def test_combinators_are_the_boolean_ones(left, right, case):
    one, other = left.matches(case), right.matches(case)
    assert (left & right).matches(case) == (one and other)
    assert (left | right).matches(case) == (one or other)


@given(predicates, st.dictionaries(st.text(max_size=3), scalars))
def test_evaluate_ignores_how_the_tree_is_written(predicate, values):
    def lookup(name):
        return values.get(name[:1], None if len(name) % 2 else ("open", 1, True))

    expected = evaluate(predicate, lookup)
    assert evaluate(predicate.simplify(), lookup) == expected
    assert evaluate(predicate.to_nnf(), lookup) == expected


def _outcome(function, argument):
    try:
        return function(argument)
    except QueryError as error:
        return error


@given(any_json | almost_search_json)
def test_from_dict_raises_nothing_but_query_errors(obj):
    outcome = _outcome(Predicate.from_dict, obj)
    if isinstance(outcome, Predicate):
        assert outcome.to_dict() == obj
        return
    place = obj
    for step in outcome.pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) else place[name]


@given(st.text(max_size=30) | almost_text)
def test_parse_raises_nothing_but_query_errors(text):
    outcome = _outcome(parse, text)
    if isinstance(outcome, Predicate):
        assert parse(str(outcome)) == outcome
    else:
        assert "\n" not in str(outcome)
        assert outcome.pointer is None


@given(comparisons, st.integers(1, 30), st.integers(0, 4))
def test_limits_accept_exactly_what_fits(leaf, width, depth):
    predicate = leaf if depth == 0 else Q.all_of([leaf] * width)
    for _ in range(depth - 1):
        predicate = ~predicate
    if depth == 0 or (depth <= 2 and width <= 20):
        SearchLimits().check(predicate)
    else:
        with pytest.raises(QueryError, match="does not fit one search"):
            SearchLimits().check(predicate)
