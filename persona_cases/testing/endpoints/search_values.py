"""The values of a case under each searchable attribute.

See https://docs.withpersona.com/api-reference/cases/search-cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from persona_cases.testing.http.json_types import is_array
from persona_cases.testing.world.catalog import USERS
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord, Ref

__all__ = ["Indexed", "SearchDocument"]

Scalar: TypeAlias = str | int | float | bool
Indexed: TypeAlias = Scalar | tuple[Scalar, ...] | None

_FIELD = "fields."
_LATEST = 50
"""Searches look only at this many of the latest accounts, inquiries and tags."""

_USER_IDS: Mapping[str, str] = {user.email: user.id for user in USERS}


@attrs.frozen(eq=False)
class SearchDocument:
    """A case as the search index holds it."""

    case: CaseRecord
    store: CaseStore

    def lookup(self, attribute: str) -> Indexed:
        """Return the value of an attribute: None if it is unset, a tuple if there are several."""
        if attribute.startswith(_FIELD):
            return _custom(self.case.fields.get(attribute.removeprefix(_FIELD)))
        return _ATTRIBUTES[attribute](self)

    def sort_value(self, attribute: str) -> Scalar | None:
        """Return the value to sort by; of several, the first."""
        value = self.lookup(attribute)
        if isinstance(value, tuple):
            return value[0] if value else None
        return value


def _custom(field: Any) -> Indexed:
    value = field["value"] if field is not None else None
    if is_array(value):
        return tuple(item for item in value if isinstance(item, str | int | float | bool))
    return value if isinstance(value, str | int | float | bool) else None


def _ids(refs: tuple[Ref, ...]) -> tuple[str, ...]:
    return tuple(ref.id for ref in refs[-_LATEST:])


def _user(address: str | None) -> str | None:
    # Searches use user ids, and cases show email addresses; other actors (a workflow) have one name.
    return None if address is None else _USER_IDS.get(address, address)


_ATTRIBUTES: Mapping[str, Callable[[SearchDocument], Indexed]] = {
    "template": lambda it: it.case.template_id,
    "case_template_id": lambda it: it.case.template_id,
    "status": lambda it: it.case.status,
    "state": lambda it: it.store.templates[it.case.template_id].state(it.case.status),
    "created_at": lambda it: it.case.created_at,
    "updated_at": lambda it: it.case.updated_at,
    "resolved_at": lambda it: it.case.resolved_at,
    "sla_expires_at": lambda it: it.case.sla_expires_at,
    "assignee": lambda it: _user(it.case.assignee_id),
    "resolver": lambda it: _user(it.case.resolver_id),
    "case_queue": lambda it: it.case.queue_id,
    "case_queue_id": lambda it: it.case.queue_id,
    "resolution": lambda it: it.case.resolution,
    "account_id": lambda it: _ids(it.case.accounts),
    "inquiry_id": lambda it: _ids(it.case.inquiries),
    "tag_id": lambda it: tuple(it.store.tag_id(tag) for tag in it.case.tags[-_LATEST:]),
}
