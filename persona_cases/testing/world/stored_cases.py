"""The stored data of the simulator: cases, their templates and attached objects, as frozen values.

Times are stored as the API writes them (`2025-01-15T10:30:00.000Z`), in one fixed width, so they sort as strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish

__all__ = [
    "Account",
    "Actor",
    "CaseRecord",
    "FieldSpec",
    "Queue",
    "Ref",
    "Resource",
    "StoredFile",
    "Template",
    "User",
    "timestamp",
]


def timestamp(moment: datetime) -> str:
    """Return the aware datetime `moment` as the API writes it: UTC, milliseconds, `Z`.

    Raises:
        InvalidArgumentError: if `moment` is naive.
    """
    if moment.tzinfo is None:
        raise InvalidArgumentError("a time must have a time zone, such as tzinfo=datetime.UTC")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class Ref(msgspec.Struct, frozen=True):
    """The `type` and `id` with which one object points to another; in JSON, an object of the two."""

    type: str
    id: str


class StoredFile(NamedTuple):
    """An attached file; `token` makes its URL valid."""

    filename: str
    byte_size: int
    token: str


class Actor(NamedTuple):
    """The author of a change of a case: an id or email address, and its type."""

    id: str
    type: str


@attrs.frozen
class User:
    """A user who works on cases: searches use the id, cases show the email address."""

    id: str
    email: str

    @property
    def actor(self) -> Actor:
        """The user as the history of a case shows them."""
        return Actor(self.email, "user")


@attrs.frozen
class Account:
    """An account that cases point to, with the reference id that `filter[reference-id]` looks for."""

    id: str
    reference_id: str


@attrs.frozen
class Queue:
    """A case queue."""

    id: str
    name: str


@attrs.frozen
class FieldSpec:
    """A custom field of a template, with the type as the template's schema spells it (`multi-choices`)."""

    key: str
    type: str
    label: str
    options: tuple[str, ...] = ()
    searchable: bool = True


@attrs.frozen
class Template:
    """A case template: the statuses, resolutions, fields and queues of its cases."""

    id: str
    prefix: str
    name: str
    initial: str
    intermediate: tuple[str, ...]
    end: tuple[str, ...]
    fields: tuple[FieldSpec, ...]
    queues: tuple[Queue, ...]

    @property
    def statuses(self) -> tuple[str, ...]:
        """Return all statuses that a case of this template can have."""
        return (self.initial, *self.intermediate, *self.end)

    def state(self, status: str) -> str:
        """Return the kind of a status: `initial`, `intermediate` or `end`.

        Args:
            status: the status.

        Returns:
            Its kind.
        """
        if status == self.initial:
            return "initial"
        return "end" if status in self.end else "intermediate"


@attrs.frozen
class Resource:
    """An object that a response can include; names are in the vendor's kebab case."""

    ref: Ref
    attributes: Mapping[str, Any]
    relationships: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen(kw_only=True)
class CaseRecord:
    """A case. Names are those of the API in snake case; a relationship is an id or a `Ref`.

    `fields` holds wire values: `{"priority": {"type": "choices", "value": "high"}}`.
    """

    id: str
    template_id: str
    status: str
    name: str
    created_at: str
    resolution: str | None = None
    updated_at: str | None = None
    assigned_at: str | None = None
    resolved_at: str | None = None
    redacted_at: str | None = None
    sla_expires_at: str | None = None
    creator_id: str | None = None
    creator_type: str | None = None
    assignee_id: str | None = None
    assigner_id: str | None = None
    assigner_type: str | None = None
    resolver_id: str | None = None
    resolver_type: str | None = None
    updater_id: str | None = None
    updater_type: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = attrs.field(factory=dict[str, Any], hash=False)
    attachments: tuple[StoredFile, ...] = ()
    queue_id: str | None = None
    comments: tuple[Ref, ...] = ()
    accounts: tuple[Ref, ...] = ()
    inquiries: tuple[Ref, ...] = ()
    reports: tuple[Ref, ...] = ()
    verifications: tuple[Ref, ...] = ()
    txns: tuple[Ref, ...] = ()


publish("persona_cases.testing", CaseRecord, FieldSpec, Queue, Ref, StoredFile, Template)
