"""Wrong usage: the marked lines, and no others, are errors for both type checkers or for the one that is named."""

from __future__ import annotations

from decimal import Decimal

from persona_cases.query import Predicate, Q, Sort

Q.statuss.eq("open")  # error
Q.status.equals("open")  # error
Q.status.is_set()  # error
Q.status.in_last(days=7)  # error
Q.status.eq(5)  # error
Q.status.eq(None)  # error
Q.status.in_([1, 2])  # error
Q.status.in_(5)  # error
Q.status.between("a", 5)  # error
Q.created_at.gt(5)  # error
Q.created_at.gt(None)  # error
Q.created_at.in_last(days="7")  # error
Q.created_at.in_next(7)  # error
Q.fields.amount.eq(None)  # error
Q.fields.amount.eq(Decimal(1))  # error
Q.fields.amount.in_([["x"]])  # error
Q.all_of([Q.status])  # error
Q.any_of(Q.status.eq("a"))  # error
Q.attribute(5)  # error
Q.status = Q.state  # error
Sort("status", "down")  # error

a, b = Q.status.eq("a"), Q.status.eq("b")
_ = a & True  # error
_ = a & Q.status  # error
_ = a | "status == 'b'"  # error
a.value = 5  # error


def search(where: Predicate) -> None: ...


search(Q.status == "open")  # error
search("status == 'open'")  # error
search(Q.status)  # error
search(not a)  # error
Predicate.from_dict(a.to_dict()).matches("case_1")  # error


def negated() -> object:
    return not a  # error


def both() -> object:
    return a and b  # error: mypy


def tested(where: Predicate | None) -> int:
    if a:  # error
        return "read on"  # error
    while Q.status:  # error
        pass
    if where:  # error: pyright
        return 1
    assert a  # error
    return 1 if b else "read on"  # error


def compared() -> int:
    _ = Q.created_at > "2026-01-01"  # error
    _ = "2026-01-01" <= Q.created_at < "2026-01-02"  # error
    _ = "open" in Q.status  # error
    for _ in Q.status:  # error
        pass
    list(Q.fields)  # error
    return "read on"  # error


def filtered(parts: list[Predicate]) -> list[Predicate]:
    return [part for part in parts if part]  # error
