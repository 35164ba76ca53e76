"""Hints for operators that a typed field does not have."""

from __future__ import annotations

from persona_cases.errors import QueryTypeError, UnknownAttributeError
from persona_cases.teaching import Lessons

__all__ = ["BOOLEAN", "STORED", "TEXT"]

_ORDER = "gt gte lt lte ge le between after before in_last in_next greater less"
_WHOLE = "the API compares whole values: write .eq(...) or .in_([...])"
_NOT_COMPARED = (
    "the API does not compare files, relations, hashes, lists or JSON: search by other fields, and read the value in"
    " each case"
)


def _lessons(order: str) -> Lessons:
    return Lessons(
        unknown=UnknownAttributeError,
        wrong=QueryTypeError,
        names={
            _ORDER: order,
            "is_null is_none is_set is_unset exists": "the API has no null: only times have .is_set() and .is_unset()",
            "contains like startswith endswith matches": _WHOLE,
        },
    )


TEXT = _lessons("a typed text has no order: write .eq(...) or .in_([...])")
BOOLEAN = _lessons("a field that is true or false has no order: write .eq(True) or .eq(False)")
STORED = Lessons(
    unknown=UnknownAttributeError,
    wrong=QueryTypeError,
    names={
        f"eq ne in_ not_in asc desc {_ORDER} is_set is_unset": _NOT_COMPARED,
    },
)
