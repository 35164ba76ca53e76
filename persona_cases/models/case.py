"""`Case`, the central model of this library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar, overload

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.case_lessons import CASE, custom_field
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.jsontext import encode_json, parse_json, plain_json
from persona_cases.models.decoding.key_inflection import (
    Inflection,
    check_inflection,
    fold_resource,
    respell_resource,
    spelling_of,
)
from persona_cases.models.decoding.record_paths import read_document, read_record, read_record_text, unknown_members
from persona_cases.models.fields import CaseFields
from persona_cases.models.fieldset import Fieldset
from persona_cases.models.included import read_included
from persona_cases.models.loading import Origin, Shared, check_asked
from persona_cases.models.objects import Attachment, Resource
from persona_cases.models.pydantic_schema import case_schema, pydantic_core_schema
from persona_cases.models.related_objects import (
    Account,
    CaseComment,
    CaseQueue,
    CaseTemplate,
    Inquiry,
    Report,
    Transaction,
    Verification,
)
from persona_cases.models.relationships import CaseRelationships
from persona_cases.surface import publish
from persona_cases.teaching import taught

__all__ = ["Case"]

T = TypeVar("T")

_NO_ATTRIBUTES = wire.Attributes()
_NO_RELATIONSHIPS = wire.Relationships()


class _CaseAttribute(Generic[T]):
    """An attribute of the vendor's schema. Null and missing mean the same, unless a sparse fieldset left it out."""

    def __init__(self, empty: T) -> None:
        self._empty = empty

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Case, owner: type) -> T: ...
    def __get__(self, instance: Case | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value: T | None = instance._sent(self._name)
        return self._empty if value is None else value


_Text: TypeAlias = _CaseAttribute[str | None]
_Time: TypeAlias = _CaseAttribute[datetime | None]


def _custom_field(case: Case, name: str) -> str | None:
    """Say how to read a custom field of that name, if the case has one."""
    return custom_field(name) if name in (case._attributes.fields or ()) else None


@taught(CASE, _custom_field)
@attrs.frozen(repr=False, eq=False)
class Case:
    """A case as the API sent it: immutable, typed, lossless.

    The client creates cases, and so does `Case.from_dict`. Times are aware datetimes. Words that look like enums
    (`status`, `creator_type`) are plain strings, because templates and the vendor add new ones. What the API left out
    reads as None or empty; what a sparse fieldset left out raises `NotLoadedError`.

    Two cases are equal if their own JSON values are, in any order and spelling of keys (`created_at`, `created-at`).
    Included objects and the fieldset do not count. The hash is that of the id.

    See https://docs.withpersona.com/api-reference/cases.
    """

    _record: wire.CaseRecord = attrs.field(alias="record", repr=False)
    _raw: bytes = attrs.field(alias="raw", repr=False)
    _origin: Origin = attrs.field(alias="origin", repr=False)

    status: ClassVar[_Text] = _Text(None)
    """The label of the status, as the template defines it (`Open`, `Approved`)."""
    name: ClassVar[_Text] = _Text(None)
    """The human-readable name, such as `KCAS-1`."""
    resolution: ClassVar[_Text] = _Text(None)
    """How the case was resolved."""
    created_at: ClassVar[_Time] = _Time(None)
    """When the case was created."""
    updated_at: ClassVar[_Time] = _Time(None)
    """When the case was last changed."""
    assigned_at: ClassVar[_Time] = _Time(None)
    """When the case was assigned."""
    resolved_at: ClassVar[_Time] = _Time(None)
    """When the case was resolved."""
    redacted_at: ClassVar[_Time] = _Time(None)
    """When the personal data of the case was erased."""
    sla_expires_at: ClassVar[_Time] = _Time(None)
    """When the service level agreement (SLA) of the case expires."""
    creator_id: ClassVar[_Text] = _Text(None)
    """Who created the case: an email address, or the id of a workflow run or API key."""
    creator_type: ClassVar[_Text] = _Text(None)
    """The kind of creator: `user`, `workflow-run`, `api-key`, or a newer kind."""
    assignee_id: ClassVar[_Text] = _Text(None)
    """The email address of the user to whom the case is assigned."""
    assigner_id: ClassVar[_Text] = _Text(None)
    """Who assigned the case."""
    assigner_type: ClassVar[_Text] = _Text(None)
    """The kind of assigner: `case-assignment-policy`, `user`, `workflow-run`, or a newer kind."""
    resolver_id: ClassVar[_Text] = _Text(None)
    """Who resolved the case."""
    resolver_type: ClassVar[_Text] = _Text(None)
    """The kind of resolver: `user`, `workflow-run`, `api-key`, or a newer kind."""
    updater_id: ClassVar[_Text] = _Text(None)
    """Who last changed the case."""
    updater_type: ClassVar[_Text] = _Text(None)
    """The kind of updater: `case-assignment-policy`, `user`, `workflow-run`, or a newer kind."""
    tags: ClassVar[_CaseAttribute[tuple[str, ...]]] = _CaseAttribute[tuple[str, ...]](())
    """The names of the tags."""

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any], *, fieldset: Fieldset | None = None) -> Self:
        """Read a case from plain JSON, in any spelling of its keys.

        Args:
            mapping: a case, or a document `{"data": <case>, "included": [...]}`.
            fieldset: the sparse fieldset of the request that returned the JSON, if any.

        Returns:
            The case.

        Raises:
            DecodeError: if it is not a case; `pointer` says where.
        """
        data, others, pointer = read_document(plain_json(mapping))
        spelling = spelling_of(data, *others)
        return cls._read(data, Origin(fieldset, read_included(others, spelling), spelling), pointer=pointer)

    @classmethod
    def _read(cls, sent: object, origin: Origin, *, pointer: str = "") -> Self:
        """Read a case from plain JSON whose origin is known."""
        return cls(read_record(sent, origin.spelling, pointer), encode_json(sent), origin)

    @property
    def id(self) -> str:
        """The id, such as `case_…`: an opaque string."""
        return self._record.id

    @property
    def type(self) -> str:
        """Always `case`."""
        return self._record.type

    @property
    def fields(self) -> CaseFields:
        """The custom fields.

        Raises:
            NotLoadedError: if a sparse fieldset left all of them out.
        """
        fieldset = self._origin.fieldset
        sent: dict[str, Any] | None = self._attributes.fields
        if sent is None and (fieldset is None or not fieldset.has_custom_fields):
            self._sent("fields")
        return CaseFields(sent or {}, fieldset)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The attached files."""
        sent: tuple[wire.AttachmentRecord, ...] = self._sent("attachments") or ()
        twins, attachments = Counter[tuple[str | None, int | None]](), list[Attachment]()
        for each in sent:
            alike = each.filename, each.byte_size
            attachments.append(Attachment(each.filename, each.url, each.byte_size, self.id, twins[alike]))
            twins[alike] += 1
        return tuple(attachments)

    @property
    def extras(self) -> dict[str, Any]:
        """The attributes that this class does not know, as a new dict."""
        return unknown_members(self._raw, self._origin.spelling, "attributes")

    @property
    def relationships(self) -> CaseRelationships:
        """The ids of the related objects."""
        return CaseRelationships(self._record.relationships or _NO_RELATIONSHIPS, self._raw, self._origin)

    @property
    def case_template_id(self) -> str | None:
        """The id of the template that the case was created from, `ctmpl_…`."""
        identifier = self.relationships.case_template
        return identifier.id if identifier else None

    @property
    def case_queue_id(self) -> str | None:
        """The id of the case's queue, `cqueue_…`; None if it is not in a queue."""
        identifier = self.relationships.case_queue
        return identifier.id if identifier else None

    @property
    def template(self) -> CaseTemplate | None:
        """The template that the case was created from.

        Raises:
            NotLoadedError: if the case has one that the response did not include, or a sparse fieldset left it out.
                This holds for all related objects.
        """
        identifier = self.relationships.case_template
        return self._origin.included.find(identifier, CaseTemplate, "case-template") if identifier else None

    @property
    def queue(self) -> CaseQueue | None:
        """The case's queue; None if it is not in a queue."""
        identifier = self.relationships.case_queue
        return self._origin.included.find(identifier, CaseQueue, "case-queue") if identifier else None

    @property
    def comments(self) -> tuple[CaseComment, ...]:
        """The comments."""
        find = self._origin.included.find
        return tuple(find(each, CaseComment, "case-comments") for each in self.relationships.case_comments)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that the case is about."""
        find = self._origin.included.find
        return tuple(find(each, Account, "accounts") for each in self.relationships.accounts)

    @property
    def inquiries(self) -> tuple[Inquiry, ...]:
        """The attached inquiries."""
        find = self._origin.included.find
        return tuple(find(each, Inquiry, "inquiries") for each in self.relationships.inquiries)

    @property
    def reports(self) -> tuple[Report, ...]:
        """The attached reports."""
        find = self._origin.included.find
        return tuple(find(each, Report, "reports") for each in self.relationships.reports)

    @property
    def verifications(self) -> tuple[Verification, ...]:
        """The attached verifications."""
        find = self._origin.included.find
        return tuple(find(each, Verification, "verifications") for each in self.relationships.verifications)

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """The attached transactions."""
        find = self._origin.included.find
        return tuple(find(each, Transaction, "txns") for each in self.relationships.txns)

    @property
    def included(self) -> tuple[Resource, ...]:
        """All objects that the response included, in its order."""
        return self._origin.included.objects

    @property
    def raw(self) -> bytes:
        """The case as one JSON object, exactly the bytes that the API sent.

        For a case from `Case.from_dict`, the JSON of its mapping.
        """
        return self._raw

    @property
    def raw_line(self) -> bytes:
        """`raw` on one line, with numbers and strings as sent: a record of JSON Lines without a line break."""
        if b"\n" in self._raw or b"\r" in self._raw:
            return msgspec.json.format(self._raw, indent=-1)
        return self._raw

    def to_dict(self, inflection: Inflection = "snake") -> dict[str, Any]:
        """Return the case as the API sent it, including unknown members, as a new dict.

        Args:
            inflection: the spelling of the names of attributes and relationships and of the keys of attachments. Keys
                inside `attributes.fields`, `type` values, ids and values of unknown attributes do not change. In the
                spelling that the API used, no key changes at all.

        Returns:
            The case as plain JSON data.

        Raises:
            DecodeError: if an attribute that this class does not know holds a number beyond a float's range. `raw`
                still has it.
        """
        return respell_resource(parse_json(self._raw), self._origin.spelling, check_inflection(inflection))

    def _sent(self, name: str) -> Any:
        """Return the value of an attribute; None for null or missing.

        Raises:
            NotLoadedError: if a sparse fieldset left it out.
        """
        value = getattr(self._attributes, name)
        if value is None:
            check_asked(self._raw, self._origin, "attributes", name)
        return value

    @property
    def _attributes(self) -> wire.Attributes:
        return self._record.attributes or _NO_ATTRIBUTES

    def _content(self) -> bytes:
        try:
            return encode_json(fold_resource(parse_json(self._raw)), canonical=True)
        except DecodeError:
            # An unread attribute holds a number beyond a float. Then only identical JSON is surely equal.
            return self._raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Case):
            return NotImplemented
        return self.id == other.id and (self._raw == other._raw or self._content() == other._content())

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Case(id={self.id!r})"

    def __getstate__(self) -> tuple[bytes, Shared]:
        # The bytes are complete, and stay readable when the records that they are decoded into change.
        return self._raw, self._origin.shared

    def __setstate__(self, state: tuple[bytes, Shared]) -> None:
        raw, shared = state
        origin = Origin.of(shared)
        for name, value in (("_record", read_record_text(raw, origin.spelling)), ("_raw", raw), ("_origin", origin)):
            object.__setattr__(self, name, value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return pydantic_core_schema(cls, cls.from_dict, cls.to_dict)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return case_schema()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


publish("persona_cases", Case)
