"""Right usage: neither type checker has anything to say."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from persona_cases.models import Case
from persona_cases.query import Predicate, Q, SearchLimits, Sort, evaluate, parse


class Level(enum.StrEnum):
    LOW = "low"


def build(statuses: Iterable[str], parts: list[Predicate]) -> Predicate:
    where = Q.status.eq("open") & ~Q.fields.priority.eq("low")
    where = where | Q.status.in_(statuses) | Q.assignee.not_in({"user_1"})
    where = where & Q.created_at.between(date(2025, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    where &= Q.created_at.in_last(days=7, now=datetime(2026, 1, 1, tzinfo=UTC))
    where &= Q.created_at.in_last(timedelta(days=7)) & Q.sla_expires_at.in_next(timedelta(hours=1), minutes=30)
    where |= Q.resolved_at.is_unset() | Q.sla_expires_at.lt("2026-01-01")
    where &= Q.fields["any key"].in_([1, 2.5, True, "x", Level.LOW, date(2025, 1, 1)])
    where &= Q.status.eq(Level.LOW) & Q.attribute("newer").gte(5)
    return Q.all_of([where, Q.any_of(parts), Q.all_of(part for part in parts)])


def use(where: Predicate | None, case: Mapping[str, Any]) -> bool:
    if where is None:
        where = parse("status == 'open'")
    SearchLimits(max_depth=3).check(where)
    document: dict[str, Any] = where.simplify().to_nnf().to_dict()
    again: Predicate = Predicate.from_dict(document)
    order: Sort = Q.fields.amount.desc()
    texts: tuple[str, str, int, dict[str, str]] = (str(again), repr(again), again.depth, order.to_dict())
    assert again.matches(Case.from_dict(case))
    return again.matches(case) and evaluate(again, case.get) and bool(texts)
