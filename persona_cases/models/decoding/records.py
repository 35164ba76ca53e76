"""The shape of the API's JSON, in snake_case: the records into which msgspec decodes a body.

They are private to this package. They are Structs, not attrs classes, because msgspec fills a Struct through its slots
but an attrs class through `setattr`, which alone takes a third of the time budget of a page (see
`docs/decisions/0001-decoding.md`). `gc=False` is safe because records come from JSON and never change, so they hold no
cycles. It spares the garbage collector work when a program keeps many pages.

Everything but `type` and `id` is optional: the vendor marks nothing as required and sometimes omits nulls. See
https://docs.withpersona.com/api-reference/cases.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

__all__ = [
    "ATTRIBUTES",
    "RELATIONSHIPS",
    "AttachmentRecord",
    "Attributes",
    "AwareDatetime",
    "CaseRecord",
    "DocumentRecord",
    "Identifier",
    "Links",
    "LoneRecord",
    "PageRecord",
    "Relationships",
    "ToMany",
    "ToOne",
]

AwareDatetime: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """The target of a relationship."""

    type: str
    id: str


class ToOne(msgspec.Struct, frozen=True, gc=False):
    """A relationship to one object, or to none."""

    data: Identifier | None = None


class ToMany(msgspec.Struct, frozen=True, gc=False):
    """A relationship to any number of objects."""

    data: tuple[Identifier, ...] | None = None


class AttachmentRecord(msgspec.Struct, frozen=True, gc=False):
    """One item of `attributes.attachments`."""

    filename: str | None = None
    url: str | None = None
    byte_size: int | None = None


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """The attributes of a case that the vendor documents; null and missing are both None."""

    status: str | None = None
    name: str | None = None
    resolution: str | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    assigned_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    redacted_at: AwareDatetime | None = None
    sla_expires_at: AwareDatetime | None = None
    creator_id: str | None = None
    creator_type: str | None = None
    assignee_id: str | None = None
    assigner_id: str | None = None
    assigner_type: str | None = None
    resolver_id: str | None = None
    resolver_type: str | None = None
    updater_id: str | None = None
    updater_type: str | None = None
    tags: tuple[str, ...] | None = None
    fields: dict[str, Any] | None = None
    attachments: tuple[AttachmentRecord, ...] | None = None


class Relationships(msgspec.Struct, frozen=True, gc=False):
    """The relationships of a case that the vendor documents."""

    accounts: ToMany | None = None
    case_comments: ToMany | None = None
    case_template: ToOne | None = None
    case_queue: ToOne | None = None
    inquiries: ToMany | None = None
    reports: ToMany | None = None
    verifications: ToMany | None = None
    txns: ToMany | None = None


class CaseRecord(msgspec.Struct, frozen=True, gc=False):
    """A case."""

    type: Literal["case"]
    id: str
    attributes: Attributes | None = None
    relationships: Relationships | None = None


class Links(msgspec.Struct, frozen=True, gc=False):
    """The links to the previous and next pages.

    Attributes:
        prev: a relative URL; None on the first page.
        next: a relative URL; None on the last page.

    See https://docs.withpersona.com/pagination.
    """

    prev: str | None = None
    next: str | None = None


class PageRecord(msgspec.Struct, frozen=True, gc=False):
    """One page of `GET /cases` or `POST /cases/search`, with its cases undecoded."""

    data: list[msgspec.Raw]
    links: Links | None = None
    included: list[msgspec.Raw] | None = None


class LoneRecord(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The document of one case and nothing else."""

    data: CaseRecord


class DocumentRecord(msgspec.Struct, frozen=True, gc=False):
    """The response to a request for one case, with the case undecoded."""

    data: msgspec.Raw
    included: list[msgspec.Raw] | None = None


ATTRIBUTES = frozenset(Attributes.__struct_fields__)
RELATIONSHIPS = frozenset(Relationships.__struct_fields__)
