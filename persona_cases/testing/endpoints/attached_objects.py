"""The objects that can be attached to cases: accounts, inquiries, reports and others.

Some kinds, such as documents, can be attached although no relationship of a case shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from persona_cases.testing.world.stored_cases import CaseRecord, Ref

__all__ = ["LARGEST_NUMBER_OF_OBJECTS", "AttachedObjects", "id_prefix"]

LARGEST_NUMBER_OF_OBJECTS = 1000
"""Maximum number of objects attached to one case."""

_RELATIONSHIPS: Mapping[str, str] = {
    "account": "accounts",
    "inquiry": "inquiries",
    "report": "reports",
    "verification": "verifications",
    "transaction": "txns",
}
_PREFIXES: Mapping[str, str] = {
    "account": "act",
    "document": "doc",
    "inquiry": "inq",
    "report": "rep",
    "transaction": "txn",
    "verification": "ver",
}


def _kind(type_: str) -> str:
    return type_.partition("/")[0]


def id_prefix(type_: str) -> str:
    """Return the prefix of ids of objects of this type."""
    return _PREFIXES.get(_kind(type_), "obj")


class AttachedObjects:
    """All existing objects by id, and the cases that they are attached to."""

    def __init__(self) -> None:
        self._known: dict[str, Ref] = {}
        self._unshown: dict[str, tuple[Ref, ...]] = {}

    def add(self, refs: Iterable[Ref]) -> None:
        """Register objects."""
        self._known.update((ref.id, ref) for ref in refs)

    def find(self, object_id: str) -> Ref | None:
        """Return the object with this id, of any type."""
        return self._known.get(object_id)

    def of(self, case: CaseRecord) -> tuple[Ref, ...]:
        """Return all objects attached to a case, including those that no relationship shows."""
        return (*_shown(case), *self._unshown.get(case.id, ()))

    def see(self, case: CaseRecord) -> None:
        """Register the objects that a case shows."""
        self.add(_shown(case))

    def attach(self, case: CaseRecord, refs: Iterable[Ref]) -> dict[str, Any]:
        """Attach objects after those that a case already has, and return the changes of the case."""
        listed: dict[str, list[Ref]] = {}
        for ref in refs:
            listed.setdefault(_RELATIONSHIPS.get(_kind(ref.type), ""), []).append(ref)
        unshown = listed.pop("", [])
        if unshown:
            self._unshown[case.id] = (*self._unshown.get(case.id, ()), *unshown)
        return {name: (*getattr(case, name), *added) for name, added in listed.items()}

    def detach(self, case: CaseRecord, object_ids: Collection[str]) -> dict[str, Any]:
        """Detach objects from a case, and return the changes of the case."""
        kept = tuple(ref for ref in self._unshown.get(case.id, ()) if ref.id not in object_ids)
        self._unshown[case.id] = kept
        changes: dict[str, Any] = {}
        for name in _RELATIONSHIPS.values():
            attached: tuple[Ref, ...] = getattr(case, name)
            left = tuple(ref for ref in attached if ref.id not in object_ids)
            if left != attached:
                changes[name] = left
        return changes


def _shown(case: CaseRecord) -> tuple[Ref, ...]:
    return (*case.accounts, *case.inquiries, *case.reports, *case.verifications, *case.txns)
