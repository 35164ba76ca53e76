"""The order of searches that are merged here: by what a case shows of the attribute that the API sorts by."""

from __future__ import annotations

from collections.abc import Callable

from persona_cases.errors import QueryError
from persona_cases.models import Case
from persona_cases.paging import SortValue
from persona_cases.query import Sort

SortKey = Callable[[Case], SortValue | None]

_CUSTOM = "fields."
_SHOWN: dict[str, SortKey] = {
    "created_at": lambda case: case.created_at,
    "updated_at": lambda case: case.updated_at,
    "resolved_at": lambda case: case.resolved_at,
    "sla_expires_at": lambda case: case.sla_expires_at,
    "status": lambda case: case.status,
}
_HIDDEN = {
    "assignee": "searches sort by user ids, and cases show e-mail addresses",
    "resolver": "searches sort by user ids, and cases show e-mail addresses",
    "state": "cases do not show it",
    "template": "only the API knows what it sorts templates by",
    "case_queue": "only the API knows what it sorts queues by",
}


def sort_key(sort: Sort) -> SortKey:
    """Return what gives the value that cases are sorted by; None for a case that has none.

    Raises:
        QueryError: if cases do not show it.
    """
    name = sort.attribute
    if name in _SHOWN:
        return _SHOWN[name]
    if name.startswith(_CUSTOM):
        key = name.removeprefix(_CUSTOM)
        return lambda case: _sortable(case.fields.get(key))
    reason = _HIDDEN.get(name, "this library does not know the attribute")
    raise QueryError(
        f"this expression takes several searches, and their results cannot be merged by {name}: {reason}."
        " Sort by a time or by a custom field, or simplify the expression until one search holds it"
    )


def _sortable(value: object) -> SortValue | None:
    return value if isinstance(value, bool | int | float | str) else None
