"""The two ways to a case's record: text through msgspec, plain JSON through the converter.

Whatever msgspec rejects goes to the converter, which finds the pointer of the fault, or accepts the few oddities that
are harmless (a duplicate member, `{}` for an empty relationship).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.converter import converter, members_of, structure
from persona_cases.models.decoding.jsontext import REFUSED, parse_json
from persona_cases.models.decoding.key_inflection import Inflection, respell_pointer, respell_resource

__all__ = [
    "Document",
    "decode_record",
    "read_document",
    "read_record",
    "read_record_text",
    "unknown_members",
]

decode_record: Callable[[bytes | str], wire.CaseRecord] = msgspec.json.Decoder(wire.CaseRecord).decode
"""Decodes the JSON of a snake_case case into its record; raises the errors of msgspec."""


@attrs.frozen
class Document:
    """The response to a request for one object, as plain JSON.

    Attributes:
        data: the object.
        included: the other objects.
    """

    data: Any
    included: tuple[Any, ...] | None = None


def read_document(mapping: object) -> tuple[Any, tuple[Any, ...], str]:
    """Read a document or a bare resource.

    Returns:
        The resource, the included objects, and the JSON pointer of the resource.
    """
    if not _is_document(mapping):
        return mapping, (), ""
    document = structure(mapping, Document)
    return document.data, document.included or (), "/data"


def read_record_text(raw: bytes, spelling: Inflection, pointer: str = "") -> wire.CaseRecord:
    """Return the record of a case from its JSON.

    Args:
        raw: the JSON object of the case.
        spelling: how its keys are spelled.
        pointer: its JSON pointer in its document, for the error.
    """
    if spelling == "snake":
        try:
            return decode_record(raw)
        except REFUSED:
            pass
    return read_record(parse_json(raw), spelling, pointer)


def read_record(sent: Any, spelling: Inflection, pointer: str = "") -> wire.CaseRecord:
    """Return the record of a case from plain JSON data; see `read_record_text` for the arguments."""
    try:
        return structure(respell_resource(sent, spelling, "snake"), wire.CaseRecord)
    except DecodeError as error:
        reason, path = error.reason, respell_pointer(error.pointer, spelling)
    raise DecodeError(reason, pointer=pointer + path)


def unknown_members(
    raw: bytes, spelling: Inflection, section: Literal["attributes", "relationships"]
) -> dict[str, Any]:
    """Return the members of a case's JSON that its record does not know, with names in snake_case."""
    known = wire.ATTRIBUTES if section == "attributes" else wire.RELATIONSHIPS
    sent: dict[str, Any] = respell_resource(parse_json(raw), spelling, "snake").get(section) or {}
    return {name: value for name, value in sent.items() if name not in known}


def _is_document(value: object) -> bool:
    return isinstance(value, Mapping) and "data" in value and "id" not in value


_structure_any_to_one = converter.get_structure_hook(wire.ToOne)


def _structure_to_one(value: Any, cls: Any) -> wire.ToOne:
    # The vendor's documentation shows an empty to-one relationship as null in one place and as `{}` in another.
    return wire.ToOne() if members_of(value).get("data") == {} else _structure_any_to_one(value, cls)


converter.register_structure_hook(wire.ToOne, _structure_to_one)
