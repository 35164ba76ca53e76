"""From lines of JSON to columns of values: pure.

Most lines of an export look alike, so they are decoded by one typed decoder and taken apart column by column. A line
that this decoder cannot read goes to `read_row`, which knows all forms of a case. If the reason was a name that this
library does not know, the next decoder knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, get_type_hints

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.export.columns.column import ATTACHMENTS, RELATIONSHIP_COLUMNS
from persona_cases.export.columns.rows import NULL, TYPED_ATTRIBUTES, Row, read_row, several
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.jsontext import is_array, is_object
from persona_cases.models.decoding.record_paths import REFUSED
from persona_cases.models.decoding.undecodable import id_of
from persona_cases.models.fields import CaseFields
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP

__all__ = ["Batch", "BatchReader", "FieldColumn", "OnRefused"]

OnRefused = Callable[[int, bytes], object]
"""Called with the number of a line that is not a case, counted from 1, and with the line."""

_MOST_EXTRAS: Final = 200
_FIELDS: Final = "fields"

_check_attachments = msgspec.json.Decoder(tuple[wire.AttachmentRecord, ...] | None).decode


@attrs.frozen
class FieldColumn:
    """A custom field in all cases of a batch.

    Attributes:
        values: its values, None where a case has none.
        words: the types that the API declares, None where it declares none.
        numbers: which cases have the field, with a value or null.
    """

    values: list[Any]
    words: list[str | None]
    numbers: list[int] = attrs.field(factory=list[int])


@attrs.frozen
class Batch:
    """Some cases, by columns.

    Attributes:
        lines: the cases as the API sent them.
        values: the values by the name of the column. A name is missing if no case has a value.
        fields: the custom fields by their keys; their values are in `values` too.
        related: the related objects of each case, by the API's names of relationships.
    """

    lines: list[bytes]
    values: dict[str, list[Any]]
    fields: dict[str, FieldColumn]
    related: Callable[[], Iterator[dict[str, tuple[wire.Identifier, ...]]]]

    @property
    def ids(self) -> list[str]:
        """The ids of the cases."""
        return self.values["id"]

    def column(self, name: str) -> list[Any]:
        """Return the values of a column, None for each case that has none."""
        return self.values.get(name) or [None] * len(self.lines)


class BatchReader:
    """Reads lines in order, and counts them for errors.

    Args:
        on_refused: takes lines that are not cases; None raises an error for such a line.
    """

    def __init__(self, on_refused: OnRefused | None = None) -> None:
        self._number = 0
        self._on_refused = on_refused
        self._extras: tuple[str, ...] = ()
        self._decode = _decoder_of(())

    def read(self, lines: Iterable[bytes]) -> Batch:
        """Read the next lines.

        Raises:
            DecodeError: if a line is not a case and `on_refused` is None; it has the number of the line and the place.
        """
        cases: list[Any] = []
        accepted: list[bytes] = []
        unusual: dict[int, Row] = {}
        for line in lines:
            self._number += 1
            case = self._usual(line)
            if case is None:
                row = self._unusual(line)
                if row is None:
                    continue
                case = _BLANK
                unusual[len(cases)] = row
            cases.append(case)
            accepted.append(line)
        return _by_columns(accepted, cases, unusual, self._extras)

    def _usual(self, line: bytes) -> Any:
        try:
            case = self._decode(line)
            attributes = case.attributes
            if attributes is not None and attributes.attachments not in _NO_ATTACHMENTS:
                _check_attachments(attributes.attachments)
        except REFUSED:
            return None
        return case

    def _unusual(self, line: bytes) -> Row | None:
        try:
            row = read_row(line)
        except DecodeError as error:
            failure = DecodeError(f"line {self._number}: {error.reason}", pointer=error.pointer, case_id=id_of(line))
        else:
            self._learn(row)
            return row
        if self._on_refused is None:
            raise failure
        self._on_refused(self._number, line)
        return None

    def _learn(self, row: Row) -> None:
        """Teach the decoder new names, such as those of a later version of the API."""
        news = [name for name in row.values if name.startswith((EXTRA, RELATIONSHIP)) and name not in self._extras]
        if news and len(self._extras) + len(news) <= _MOST_EXTRAS:
            self._extras += tuple(news)
            self._decode = _decoder_of(self._extras)


class _Wrapped(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    type: str
    value: Any


def _decoder_of(extras: Sequence[str]) -> Callable[[bytes], Any]:
    """Return a decoder that accepts only the known names and these."""
    hints = get_type_hints(wire.Attributes, include_extras=True)
    hints |= {_FIELDS: dict[str, _Wrapped] | None, ATTACHMENTS: msgspec.Raw}
    attributes = _section(hints, extras, EXTRA)
    relationships = _section(get_type_hints(wire.Relationships), extras, RELATIONSHIP)
    case = msgspec.defstruct(
        "UsualCase",
        [
            ("type", Literal["case"]),
            ("id", str),
            ("attributes", attributes | None, None),
            ("relationships", relationships | None, None),
        ],
        frozen=True,
        gc=False,
    )
    return msgspec.json.Decoder(case).decode


def _section(hints: dict[str, Any], extras: Sequence[str], prefix: str) -> Any:
    known = [(name, hint, msgspec.Raw() if hint is msgspec.Raw else None) for name, hint in hints.items()]
    named = {_slot(number): name.removeprefix(prefix) for number, name in enumerate(extras) if name.startswith(prefix)}
    new = [(slot, msgspec.Raw, msgspec.Raw()) for slot in named]
    return msgspec.defstruct(
        "UsualSection", [*known, *new], rename=named, frozen=True, gc=False, forbid_unknown_fields=True
    )


def _slot(number: int) -> str:
    # A name from outside need not be one that Python takes.
    return f"extra_{number}"


_NO_ATTACHMENTS: Final = (msgspec.Raw(), msgspec.Raw(b"[]"), msgspec.Raw(NULL))
_BLANK: Final = _decoder_of(())(b'{"type":"case","id":"","attributes":{},"relationships":{}}')
"""Stands for a case that is put in afterwards, and for a section that a case does not have."""


def _by_columns(lines: list[bytes], cases: list[Any], unusual: dict[int, Row], extras: Sequence[str]) -> Batch:
    attributes = [case.attributes or _BLANK.attributes for case in cases]
    relationships = [case.relationships or _BLANK.relationships for case in cases]
    fields = _fields_of(attributes)
    values: dict[str, list[Any]] = {"id": [case.id for case in cases]}
    values |= {name: list(map(attrgetter(name), attributes)) for name in TYPED_ATTRIBUTES}
    values[ATTACHMENTS] = [_untyped(each.attachments) for each in attributes]
    links = {name: list(map(attrgetter(name), relationships)) for name in RELATIONSHIP_COLUMNS}
    values |= {RELATIONSHIP_COLUMNS[name].name: _ids(column) for name, column in links.items()}
    for number, name in enumerate(extras):
        section = attributes if name.startswith(EXTRA) else relationships
        values[name] = [_untyped(getattr(each, _slot(number), msgspec.Raw())) for each in section]
    values |= {CUSTOM + key: field.values for key, field in fields.items()}
    _put_in(unusual, len(cases), values, fields)

    def related() -> Iterator[dict[str, tuple[wire.Identifier, ...]]]:
        for number in range(len(cases)):
            if number in unusual:
                yield unusual[number].identifiers
            else:
                there = ((name, column[number]) for name, column in links.items())
                yield {name: several(link.data) for name, link in there if link is not None and link.data is not None}

    return Batch(lines, values, fields, related)


def _fields_of(attributes: Sequence[Any]) -> dict[str, FieldColumn]:
    fields: dict[str, FieldColumn] = {}
    for number, each in enumerate(attributes):
        sent_fields: dict[str, _Wrapped] = each.fields or {}
        for key, sent in sent_fields.items():
            field = fields.get(key)
            if field is None:
                field = fields[key] = _no_field(len(attributes))
            field.values[number] = _unwrapped(sent) if _may_hold_wrappers(sent.value) else sent.value
            field.words[number] = sent.type
            field.numbers.append(number)
    return fields


def _no_field(cases: int) -> FieldColumn:
    return FieldColumn([None] * cases, [None] * cases)


def _may_hold_wrappers(value: Any) -> bool:
    return is_object(value) or (is_array(value) and any(type(item) in {dict, list} for item in value))


def _unwrapped(sent: _Wrapped) -> Any:
    """Return a value without the wrappers in it that declare types."""
    return CaseFields({"": {"type": sent.type, "value": sent.value}}).typed("").value


def _put_in(unusual: dict[int, Row], cases: int, values: dict[str, list[Any]], fields: dict[str, FieldColumn]) -> None:
    for number, row in unusual.items():
        for key, sent in row.fields.items():
            field = fields.setdefault(key, _no_field(cases))
            field.words[number] = sent.type
            field.numbers.append(number)
            values[CUSTOM + key] = field.values
        for name, value in row.values.items():
            values.setdefault(name, [None] * cases)[number] = value


def _untyped(text: msgspec.Raw) -> msgspec.Raw | None:
    sent = bytes(text)
    return None if not sent or sent == NULL else text


def _ids(links: Sequence[Any]) -> list[str | list[str] | None]:
    data = [None if link is None else link.data for link in links]
    if any(type(each) is wire.Identifier for each in data):
        return [None if each is None else each.id for each in data]
    return [None if each is None else [one.id for one in each] for each in data]
