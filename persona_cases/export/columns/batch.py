"""From lines of JSON to columns of values: pure.

Most lines of an export look alike, so they are decoded by one typed decoder and taken apart column by column. A line
that this decoder cannot read goes to `read_row`, which knows all forms of a case. If the reason was a name that this
library does not know, the next decoder knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.export.columns.cells import timestamp
from persona_cases.export.columns.column import ATTACHMENTS, RAW, RELATIONSHIP_COLUMNS
from persona_cases.export.columns.rows import NULL, TYPED_ATTRIBUTES, Related, Row, read_row
from persona_cases.export.columns.types import ColumnType, are_plain_times, type_of_all
from persona_cases.export.columns.usual_case import TIMES, WrappedValue, can_be_taught, slot_of, usual_decoder
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.jsontext import REFUSED, is_array, is_object
from persona_cases.models.decoding.undecodable import id_of
from persona_cases.models.fields import CaseFields
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP

__all__ = ["Batch", "BatchReader", "FieldColumn", "OnRefused"]

OnRefused = Callable[[int, bytes], object]
"""Called with the number of a line that is not a case, counted from 1, and with the line."""

_MOST_EXTRAS: Final = 200
_MOST_KEYS: Final = 200
_OTHERS: Final = tuple(name for name in TYPED_ATTRIBUTES if name not in TIMES)

_check_attachments = msgspec.json.Decoder(list[tuple[wire.AttachmentRecord, ...] | None]).decode


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

    @cached_property
    def type(self) -> ColumnType:
        """The narrowest type that holds all values."""
        return type_of_all(self.values, self.words)


@attrs.frozen
class Batch:
    """Some cases, by columns.

    Attributes:
        lines: the cases as the API sent them.
        values: the values by the name of the column. A name may be missing if no case has a value.
        times: the texts of the times among them, as `timestamp` writes these; without the times of custom fields.
        fields: the custom fields by their keys; their values are in `values` too.
        related: the related objects by the API's names of relationships; their ids are in `values` too.
    """

    lines: list[bytes]
    values: dict[str, list[Any]]
    times: dict[str, list[str | None]]
    fields: dict[str, FieldColumn]
    related: dict[str, list[Related | None]]

    @property
    def ids(self) -> list[str]:
        """The ids of the cases."""
        return self.values["id"]

    @cached_property
    def beyond_utc(self) -> frozenset[str]:
        """The names of attributes with a time that has no year from 1 to 9999 in UTC; see `fits_utc`."""
        # Only such times have an offset, and in all others there is one Z.
        sent = {name: list(filter(None, texts)) for name, texts in self.times.items()}
        return frozenset(name for name, texts in sent.items() if "".join(texts).count("Z") < len(texts))

    @cached_property
    def filled(self) -> frozenset[str]:
        """The names of the columns in which a case has a value."""
        return frozenset(name for name, values in self.values.items() if any(value is not None for value in values))

    def with_raw(self) -> Batch:
        """Return the same cases, each of which is as a whole a value of the column of that name too."""
        return attrs.evolve(self, values={**self.values, RAW: [msgspec.Raw(line) for line in self.lines]})

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
        self._keys: dict[str, None] = {}
        self._decode = usual_decoder(())
        # Knows the custom fields by name, which is faster, and refuses others.
        self._decode_known: Callable[[bytes], Any] | None = None

    def read(self, lines: Iterable[bytes]) -> Batch:
        """Read the next lines.

        Raises:
            DecodeError: if a line is not a case and `on_refused` is None; it has the number of the line and the place.
        """
        listed = list(lines)
        batch = self._known(listed)
        if batch is None:
            batch = self._all_usual(listed)
            self._learn_keys(batch.fields)
        return batch

    def _known(self, lines: list[bytes]) -> Batch | None:
        """Read usual cases without unknown fields; None if there are others."""
        if self._decode_known is None:
            if not 0 < len(self._keys) <= _MOST_KEYS or not self._number:
                return None
            self._decode_known = usual_decoder(self._extras, tuple(self._keys))
        decode = self._decode_known
        try:
            batch = _by_columns(lines, [decode(line) for line in lines], {}, self._extras, tuple(self._keys))
        except REFUSED:
            return None
        self._number += len(lines)
        return batch

    def _all_usual(self, lines: list[bytes]) -> Batch:
        decode = self._decode
        try:
            batch = _by_columns(lines, [decode(line) for line in lines], {}, self._extras)
        except REFUSED:
            return self._each(lines)
        self._number += len(lines)
        return batch

    def _learn_keys(self, keys: Iterable[str]) -> None:
        before = len(self._keys)
        self._keys.update(dict.fromkeys(filter(can_be_taught, keys)))
        if len(self._keys) > before:
            self._decode_known = None

    def _each(self, lines: Iterable[bytes]) -> Batch:
        """Read lines of which one is unusual at least."""
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
            _by_columns([line], [case], {}, self._extras)
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
        named = [name for name in row.values if name.startswith((EXTRA, RELATIONSHIP)) and can_be_taught(name)]
        news = [name for name in named if name not in self._extras]
        if news and len(self._extras) + len(news) <= _MOST_EXTRAS:
            self._extras += tuple(news)
            self._decode, self._decode_known = usual_decoder(self._extras), None


_BLANK: Final = usual_decoder(())(b'{"type":"case","id":"","attributes":{},"relationships":{}}')
"""Stands for a case that is put in afterwards, and for a section that a case does not have."""


def _by_columns(
    lines: list[bytes],
    cases: list[Any],
    unusual: dict[int, Row],
    extras: Sequence[str],
    keys: Sequence[str] | None = None,
) -> Batch:
    """Take cases apart, and check what their decoder leaves as text.

    Args:
        lines: the cases as the API sent them.
        cases: the decoded cases.
        unusual: what takes the place of some of them, by number.
        extras: the names that their decoder was taught.
        keys: the custom fields that it was taught; None if it takes any.

    Raises:
        msgspec.ValidationError: if a time is not one, or attachments are something else.
    """
    attributes = [case.attributes or _BLANK.attributes for case in cases]
    relationships = [case.relationships or _BLANK.relationships for case in cases]
    fields = _fields_of(attributes) if keys is None else _known_fields_of(attributes, keys)
    values: dict[str, list[Any]] = {"id": [case.id for case in cases]}
    values |= {name: list(map(attrgetter(name), attributes)) for name in _OTHERS}
    sent = {name: list(map(attrgetter(name), attributes)) for name in TIMES}
    moments = {name: msgspec.convert(texts, list[wire.AwareDatetime | None]) for name, texts in sent.items()}
    times = {name: _time_texts(texts, moments[name]) for name, texts in sent.items()}
    values |= moments
    values[ATTACHMENTS] = [_untyped(each.attachments) for each in attributes]
    _check_attachments(b"[%b]" % b",".join(filter(None, values[ATTACHMENTS])))
    related = {name: _related(map(attrgetter(name), relationships)) for name in RELATIONSHIP_COLUMNS}
    for name, column in RELATIONSHIP_COLUMNS.items():
        values[column.name] = (_id_lists if column.type.many else _ids)(related[name])
    for number, name in enumerate(extras):
        section = attributes if name.startswith(EXTRA) else relationships
        values[name] = [_untyped(getattr(each, slot_of(number), msgspec.Raw())) for each in section]
    values |= {CUSTOM + key: field.values for key, field in fields.items()}
    _put_in(unusual, len(cases), values, fields)
    for number, row in unusual.items():
        for name in TIMES:
            times[name][number] = None if row.values[name] is None else timestamp(row.values[name])
        for name, objects in row.related.items():
            related[name][number] = objects
    return Batch(lines, values, times, fields, related)


def _time_texts(texts: list[str | None], moments: Sequence[datetime | None]) -> list[str | None]:
    there = list(filter(None, texts))
    if are_plain_times(there):
        return texts
    return [None if moment is None else timestamp(moment) for moment in moments]


def _fields_of(attributes: Sequence[Any]) -> dict[str, FieldColumn]:
    fields: dict[str, FieldColumn] = {}
    for number, each in enumerate(attributes):
        sent_fields: dict[str, WrappedValue] = each.fields or {}
        for key, sent in sent_fields.items():
            field = fields.get(key)
            if field is None:
                field = fields[key] = _no_field(len(attributes))
            value = sent.value
            if type(value) in _CONTAINERS and _may_hold_wrappers(value):
                value = _unwrapped(sent)
            field.values[number] = value
            field.words[number] = sent.type
            field.numbers.append(number)
    return fields


def _known_fields_of(attributes: Sequence[Any], keys: Sequence[str]) -> dict[str, FieldColumn]:
    sections = [each.fields for each in attributes]
    fields: dict[str, FieldColumn] = {}
    for number, key in enumerate(keys):
        name = slot_of(number)
        column: list[WrappedValue | None] = [None if each is None else getattr(each, name) for each in sections]
        numbers = [number for number, sent in enumerate(column) if sent is not None]
        if not numbers:
            continue
        values = [None if sent is None else sent.value for sent in column]
        if not _CONTAINERS.isdisjoint(map(type, values)):
            values = [
                _unwrapped(sent) if sent is not None and _may_hold_wrappers(value) else value
                for sent, value in zip(column, values, strict=True)
            ]
        fields[key] = FieldColumn(values, [None if sent is None else sent.type for sent in column], numbers)
    return fields


def _no_field(cases: int) -> FieldColumn:
    return FieldColumn([None] * cases, [None] * cases)


_CONTAINERS: Final = frozenset({dict, list})


def _may_hold_wrappers(value: Any) -> bool:
    return is_object(value) or (is_array(value) and any(type(item) in {dict, list} for item in value))


def _unwrapped(sent: WrappedValue) -> Any:
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


def _related(links: Iterable[wire.ToOne | wire.ToMany | None]) -> list[Related | None]:
    return [None if link is None else link.data for link in links]


def _ids(related: Iterable[Any]) -> list[str | None]:
    return [None if data is None else data.id for data in related]


def _id_lists(related: Iterable[Any]) -> list[list[str] | None]:
    found = list[list[str] | None]()
    for data in related:
        if data is None:
            found.append(None)
        elif len(data) == 1:
            # What most cases have, where a comprehension would take longer than all the rest.
            found.append([data[0].id])
        else:
            found.append([each.id for each in data] if data else [])
    return found
