"""Rewriting, by example; that it changes no answer is a property."""

from __future__ import annotations

import pytest

from persona_cases.query import Q

A, B, C = Q.status.eq("a"), Q.status.eq("b"), Q.fields.n.gt(1)
ALL, NONE = Q.all_of([]), Q.any_of([])


@pytest.mark.parametrize(
    ("written", "simple"),
    [
        (A, A),
        (~~A, A),
        (~~~A, ~A),
        (Q.all_of([A]), A),
        (Q.any_of([Q.all_of([A])]), A),
        (Q.all_of([A & B, C, A]), A & B & C),
        (A & ~~(B & C), A & B & C),
        (A | B | A, A | B),
        (A & ALL, A),
        (A & NONE, NONE),
        (A | ALL, ALL),
        (A | NONE, A),
        (~ALL, NONE),
        (~NONE, ALL),
        (A & ~A, NONE),
        (A | B | ~A, ALL),
        (A & (A | B), A),
        (A | (B & A), A),
        (A & (B | C), A & (B | C)),
        (~(A & B), ~(A & B)),
        (~C, ~C),
    ],
)
def test_simplify(written, simple):
    assert written.simplify() == simple


@pytest.mark.parametrize(
    ("written", "nnf"),
    [
        (A, A),
        (~~A, A),
        (~(A & B), ~A | ~B),
        (~(A | ~B), ~A & B),
        (~(A & ~(B | C)), ~A | (Q.any_of([B, C]))),
        (~C, ~C),
        (~ALL, NONE),
    ],
)
def test_nnf(written, nnf):
    assert written.to_nnf().simplify() == nnf.simplify()


def test_nnf_keeps_the_tree_that_is_written():
    assert (~(A & ~(B | C))).to_nnf() == Q.any_of([~A, Q.any_of([B, C])])
    assert (~~Q.all_of([A])).to_nnf() == Q.all_of([A])
