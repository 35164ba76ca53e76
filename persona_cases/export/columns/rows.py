"""From a line of JSON, in any form of a case, to a flat row: pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import attrs
import msgspec

from persona_cases.export.columns.column import ATTACHMENTS, FIXED, RELATIONSHIP_COLUMNS
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.jsontext import REFUSED
from persona_cases.models.decoding.key_inflection import respell_resource, spelling_of
from persona_cases.models.decoding.record_paths import read_record_text
from persona_cases.models.fields import CaseFields, FieldValue
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP

__all__ = ["NULL", "TYPED_ATTRIBUTES", "Related", "Row", "read_row"]

_TYPED = wire.ATTRIBUTES - {ATTACHMENTS}
TYPED_ATTRIBUTES = tuple(column.name for column in FIXED if column.name in _TYPED)
"""The attributes that are columns of their own and have their type, in the order of the columns."""

NULL = b"null"
_NO_ATTRIBUTES = wire.Attributes()
_NO_RELATIONSHIPS = wire.Relationships()

Related: TypeAlias = wire.Identifier | tuple[wire.Identifier, ...]
"""What a relationship of a case leads to."""


class _Members(msgspec.Struct):
    """The members of a case, undecoded."""

    attributes: dict[str, msgspec.Raw] | None = None
    relationships: dict[str, msgspec.Raw] | None = None


_members_of = msgspec.json.Decoder(_Members).decode


@attrs.frozen
class Row:
    """A case, flat.

    Attributes:
        values: the values by the name of the column; null values may be missing.
        fields: the custom fields and their declared types, by their keys.
        related: the related objects, by the API's names of relationships.
    """

    values: dict[str, Any]
    fields: dict[str, FieldValue]
    related: dict[str, Related]


def read_row(line: bytes) -> Row:
    """Flatten a case.

    Raises:
        DecodeError: if the line is not a case.
    """
    try:
        members = _members_of(line)
    except REFUSED:
        members = _Members()
    sections = {"attributes": members.attributes or {}, "relationships": members.relationships or {}}
    spelling = spelling_of(sections)
    record, sections = read_record_text(line, spelling), respell_resource(sections, spelling, "snake")
    fields, links = _fields(record), dict(_links(record))
    values: dict[str, Any] = {"id": record.id}
    values.update((name, getattr(record.attributes or _NO_ATTRIBUTES, name)) for name in TYPED_ATTRIBUTES)
    values.update((CUSTOM + key, field.value) for key, field in fields.items())
    values.update((RELATIONSHIP_COLUMNS[name].name, _ids(related)) for name, related in links.items())
    for name, text in _untyped(sections["attributes"], _TYPED):
        values[name if name == ATTACHMENTS else EXTRA + name] = text
    for name, text in _untyped(sections["relationships"], wire.RELATIONSHIPS):
        values[RELATIONSHIP + name] = text
    return Row(values, fields, links)


def _fields(record: wire.CaseRecord) -> dict[str, FieldValue]:
    fields = CaseFields((record.attributes or _NO_ATTRIBUTES).fields or {})
    return {key: fields.typed(key) for key in fields}


def _links(record: wire.CaseRecord) -> Iterator[tuple[str, Related]]:
    for name in RELATIONSHIP_COLUMNS:
        link: wire.ToOne | wire.ToMany | None = getattr(record.relationships or _NO_RELATIONSHIPS, name)
        if link is not None and link.data is not None:
            yield name, link.data


def _ids(related: Related) -> str | list[str]:
    return related.id if isinstance(related, wire.Identifier) else [each.id for each in related]


def _untyped(members: dict[str, msgspec.Raw], typed: AbstractSet[str]) -> Iterator[tuple[str, msgspec.Raw]]:
    """Return the members that the record does not type, as the JSON that the API sent."""
    return ((name, text) for name, text in members.items() if name not in typed and bytes(text) != NULL)
