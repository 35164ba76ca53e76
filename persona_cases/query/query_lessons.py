"""Hints for code that uses `Q` like another query language."""

from __future__ import annotations

from persona_cases.errors import QueryTypeError, UnknownAttributeError
from persona_cases.teaching import Lessons

__all__ = ["FIELD", "NAMESPACE"]

_NULL = "the API has no null: a time has .is_set() and .is_unset(), such as Q.resolved_at.is_unset()"
_WHOLE = "the API compares whole values: write .eq(...) or .in_([...]), and look for parts in the cases that it finds"

FIELD = Lessons(
    unknown=UnknownAttributeError,
    wrong=QueryTypeError,
    names={
        "equals equal is_ isEqual exact": "write .eq(...)",
        "neq not_eq not_equals not_equal is_not": "write .ne(...)",
        "ge greater_or_equal since min": "write .gte(...)",
        "le less_or_equal until max": "write .lte(...)",
        "greater greater_than after": "write .gt(...)",
        "less less_than before": "write .lt(...)",
        "isin one_of any_of any is_in": "write .in_([...])",
        "notin none_of not_in_ isnotin": "write .not_in([...])",
        "range is_between": "write .between(low, high)",
        "within last past ago": "write .in_last(days=...), of an attribute that holds a time",
        "next coming": "write .in_next(days=...), of an attribute that holds a time",
        "is_null isnull is_none isna is_empty is_unset not_exists missing": _NULL,
        "is_not_null isnotnull notnull is_not_none notna exists is_set has_value": _NULL,
        "contains like ilike icontains startswith endswith matches regex match search has": _WHOLE,
        "sort order_by order ascending": "write sort=Q.created_at.asc()",
        "descending": "write .desc()",
    },
    arguments={
        "day in_last.d in_next.d": "write days=",
        "hour": "write hours=",
        "minute": "write minutes=",
        "second": "write seconds=",
    },
    calls={
        "in_": "takes one list: write .in_([...])",
        "not_in": "takes one list: write .not_in([...])",
        "between": "takes two values: write .between(low, high)",
        "eq ne gt gte lt lte": "takes one value: for several write .in_([...])",
        "in_last in_next": "takes one timedelta, or keywords: write days=7",
        "asc desc": "takes no argument",
        "is_set is_unset": "takes no argument: negate it with ~",
    },
)

NAMESPACE = Lessons(
    title="Q",
    wrong=QueryTypeError,
    calls={
        "all_of": "takes one list: write Q.all_of([...]), or join with &",
        "any_of": "takes one list: write Q.any_of([...]), or join with |",
        "attribute": "takes one name: write Q.attribute(name)",
    },
)
