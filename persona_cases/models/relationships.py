"""`CaseRelationships`: the ids of the objects related to a case."""

from __future__ import annotations

from typing import Any, ClassVar, Self, overload

import attrs

from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.record_paths import read_record_text, unknown_members
from persona_cases.models.loading import Origin, Shared, check_asked
from persona_cases.models.objects import ResourceIdentifier
from persona_cases.surface import publish

__all__ = ["CaseRelationships"]


class _OneRelated:
    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: CaseRelationships, owner: type) -> ResourceIdentifier | None: ...
    def __get__(self, instance: CaseRelationships | None, owner: type) -> Self | ResourceIdentifier | None:
        if instance is None:
            return self
        sent: wire.ToOne | None = instance._sent(self._name)
        return _public(sent.data) if sent is not None and sent.data is not None else None


class _ManyRelated:
    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: CaseRelationships, owner: type) -> tuple[ResourceIdentifier, ...]: ...
    def __get__(self, instance: CaseRelationships | None, owner: type) -> Self | tuple[ResourceIdentifier, ...]:
        if instance is None:
            return self
        sent: wire.ToMany | None = instance._sent(self._name)
        return tuple(map(_public, sent.data)) if sent is not None and sent.data is not None else ()


@attrs.frozen(repr=False, eq=False)
class CaseRelationships:
    """The ids of the objects related to a case, by the API's names.

    Reading a relationship that a sparse fieldset left out raises `NotLoadedError`.
    """

    _record: wire.Relationships = attrs.field(alias="record", repr=False)
    _raw: bytes = attrs.field(alias="raw", repr=False)
    _origin: Origin = attrs.field(alias="origin", repr=False)

    accounts: ClassVar[_ManyRelated] = _ManyRelated()
    """The accounts that the case is about."""
    case_comments: ClassVar[_ManyRelated] = _ManyRelated()
    """The comments on the case."""
    case_template: ClassVar[_OneRelated] = _OneRelated()
    """The template that the case was created from."""
    case_queue: ClassVar[_OneRelated] = _OneRelated()
    """The case's queue."""
    inquiries: ClassVar[_ManyRelated] = _ManyRelated()
    """The attached inquiries."""
    reports: ClassVar[_ManyRelated] = _ManyRelated()
    """The attached reports; their `type` names the kind, such as `report/watchlist`."""
    verifications: ClassVar[_ManyRelated] = _ManyRelated()
    """The attached verifications; their `type` names the kind, such as `verification/document`."""
    txns: ClassVar[_ManyRelated] = _ManyRelated()
    """The attached transactions."""

    @property
    def extras(self) -> dict[str, Any]:
        """The relationships that this class does not know, as the API sent them."""
        return unknown_members(self._raw, self._origin.spelling, "relationships")

    def _sent(self, name: str) -> Any:
        """Return the record of one relationship; None if the case has none."""
        record = getattr(self._record, name)
        if record is None:
            check_asked(self._raw, self._origin, "relationships", name)
        return record

    def __getstate__(self) -> tuple[bytes, Shared]:
        return self._raw, self._origin.shared

    def __setstate__(self, state: tuple[bytes, Shared]) -> None:
        raw, shared = state
        origin = Origin.of(shared)
        record = read_record_text(raw, origin.spelling).relationships or wire.Relationships()
        for name, value in (("_record", record), ("_raw", raw), ("_origin", origin)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CaseRelationships):
            return NotImplemented
        return self._record == other._record and self.extras == other.extras

    def __hash__(self) -> int:
        return hash(self._record)

    def __repr__(self) -> str:
        return "<CaseRelationships>"


def _public(identifier: wire.Identifier) -> ResourceIdentifier:
    return ResourceIdentifier(identifier.type, identifier.id)


publish("persona_cases.models", CaseRelationships)
