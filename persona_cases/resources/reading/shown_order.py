"""The sort keys of merged searches: the values that cases show of the attribute that the API sorts by."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from persona_cases.errors import QueryError
from persona_cases.name_prefixes import custom_key
from persona_cases.query import Sort
from persona_cases.query.attributes import Attribute, attribute_named

if TYPE_CHECKING:
    from persona_cases.models import Case
    from persona_cases.paging import SortValue

SortKey: TypeAlias = "Callable[[Case], SortValue | None]"


def sort_key(sort: Sort) -> SortKey:
    """Return a function that returns the sort key of a case, or None if the case has none.

    Raises:
        QueryError: if cases do not show the attribute.
    """
    known = attribute_named(sort.attribute)
    key = custom_key(known.name)
    if key is not None:
        return lambda case: _sortable(case.fields.get(key))
    if known.shown_as is not None and not known.person:
        return attrgetter(known.shown_as)
    raise QueryError(
        f"this expression takes several searches, and their results cannot be merged by {known.name}:"
        f" {_why_not(known)}. Sort by a time or by a custom field, or simplify the expression until one search holds it"
    )


def _why_not(known: Attribute) -> str:
    if known.person:
        return "searches sort by user ids, and cases show email addresses"
    return known.hidden if known.related is None else "only the API knows what it sorts them by"


def _sortable(value: object) -> SortValue | None:
    return value if isinstance(value, bool | int | float | str) else None
