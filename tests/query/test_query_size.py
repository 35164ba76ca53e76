"""Wide and deep expressions: no recursion, and no cost that grows with the square."""

from __future__ import annotations

import copy
import functools
import operator
import pickle
import sys
import threading
import tracemalloc

import pytest

from persona_cases.errors import QueryTooComplexError
from persona_cases.query import Predicate, Q, SearchLimits, evaluate, parse
from persona_cases.query.nodes import AllOf, AnyOf, Not

WIDE = 3_000
DEEP = 3_000


def leaf(number: int) -> Predicate:
    return Q.fields.number.eq(number)


def negations() -> Predicate:
    return functools.reduce(lambda inner, _: ~inner, range(DEEP), leaf(1))


def alternations() -> Predicate:
    return functools.reduce(lambda inner, n: (inner & leaf(n)) if n % 2 else (inner | leaf(n)), range(DEEP), leaf(1))


def one_clause_nodes() -> Predicate:
    return functools.reduce(lambda inner, n: Q.all_of([inner]), range(DEEP), leaf(1))


def nested_in_their_own_kind() -> Predicate:
    return functools.reduce(lambda inner, n: Q.any_of([inner, leaf(n)]), range(DEEP), leaf(1))


def wide_chain() -> Predicate:
    return functools.reduce(operator.and_, map(leaf, range(WIDE)))


SHAPES = [negations, alternations, one_clause_nodes, nested_in_their_own_kind, wide_chain]


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.__name__)
def huge(request):
    return request.param(), request.param()


def test_every_operation_survives_any_size(huge):
    predicate, twin = huge
    assert predicate == twin
    assert hash(predicate) == hash(twin)
    assert Predicate.from_dict(predicate.to_dict()) == predicate
    assert parse(str(predicate)) == predicate
    assert repr(predicate).count("fields.number") == str(predicate).count("fields.number")
    assert pickle.loads(pickle.dumps(predicate)) == predicate
    assert copy.deepcopy(predicate) is predicate
    assert predicate.simplify().depth <= predicate.depth
    assert predicate.to_nnf().depth <= predicate.depth + 1
    assert evaluate(predicate, lambda name: 1) == evaluate(predicate.to_nnf(), lambda name: 1)
    with pytest.raises(QueryTooComplexError):
        SearchLimits().check(predicate)


@pytest.mark.parametrize("combine", [operator.and_, operator.or_])
def test_a_chain_is_one_flat_node_whichever_side_it_grows_on(combine):
    leaves = list(map(leaf, range(WIDE)))
    left = functools.reduce(combine, leaves)
    right = functools.reduce(lambda chain, each: combine(each, chain), reversed(leaves))
    assert left == right
    assert list(left.parts) == leaves
    assert left.depth == 1


def test_a_chain_does_not_copy_its_parts_at_every_step():
    """Weighed, not timed: with a copy of its parts at each step, a chain of 1,000 would take over 4 MB."""
    chain, leaves = leaf(0), [leaf(number) for number in range(1, 1000)]
    seen = []
    tracemalloc.start()
    for each in leaves:
        chain = chain & each
        seen.append(chain)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
    assert len(chain.parts) == 1000
    assert [len(node.parts) for node in seen[:3]] == [2, 3, 4]


def test_extending_a_chain_leaves_it_as_it_was():
    base = leaf(1) & leaf(2)
    one, other = base & leaf(3), base & leaf(4)
    assert base == AllOf([leaf(1), leaf(2)])
    assert one == AllOf([leaf(1), leaf(2), leaf(3)])
    assert other == AllOf([leaf(1), leaf(2), leaf(4)])
    assert base & base == AllOf([leaf(1), leaf(2), leaf(1), leaf(2)])
    assert one | other == AnyOf([one, other])


def test_many_threads_may_lay_out_one_chain():
    for _ in range(20):
        chain = functools.reduce(operator.and_, map(leaf, range(2000)))
        barrier = threading.Barrier(4)
        lengths: list[int] = []

        def read(chain=chain, barrier=barrier, lengths=lengths):
            barrier.wait()
            lengths.append(len(chain.parts))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lengths == [2000] * 4


def test_a_nest_far_beyond_the_recursion_limit_is_freed_quietly():
    predicate = leaf(1)
    for _ in range(sys.getrecursionlimit() * 100):
        predicate = Not(predicate)
    assert predicate.depth == sys.getrecursionlimit() * 100
    del predicate


def test_text_nested_deeper_than_python_parses():
    deep = "(" * DEEP + "status == 'open'" + ")" * DEEP
    assert parse(deep) == Q.status.eq("open")
    assert parse("not " * DEEP + "status == 'open'").depth == DEEP
    listed = "all([" * DEEP + "status == 'open'" + "])" * DEEP
    assert parse(listed).depth == DEEP


def test_duplicates_are_found_in_linear_time():
    """Comparing each part with each other would take minutes."""
    assert len(Q.any_of([leaf(n % 7) for n in range(50_000)]).simplify().parts) == 7
