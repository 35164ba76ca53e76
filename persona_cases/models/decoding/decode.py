"""Bodies to models: pages of cases, which are the hot path, and documents of single objects.

A page is decoded in two passes. The first finds where each case begins and ends, and the second decodes each case from
a copy of its bytes. Because of the copy, `raw`, `to_dict` and `extras` cost nothing until they are used, and one case
can outlive its page. Figures: `docs/decisions/0001-decoding.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.case import Case
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.converter import converter, structure
from persona_cases.models.decoding.jsontext import REFUSED, check_utf8, parse_json, plain_json
from persona_cases.models.decoding.key_inflection import spelling_of
from persona_cases.models.decoding.page_split import split_page
from persona_cases.models.decoding.record_paths import Document, decode_record, read_record_text
from persona_cases.models.decoding.records import Links
from persona_cases.models.decoding.undecodable import blame, poisoned_case
from persona_cases.models.fieldset import Fieldset
from persona_cases.models.included import read_included
from persona_cases.models.loading import Origin
from persona_cases.models.objects import Resource, read_resource

__all__ = ["DecodedPage", "decode_case", "decode_line", "decode_page", "decode_resource"]

R = TypeVar("R", bound=Resource)


@attrs.frozen
class DecodedPage:
    """One page of a list or search.

    Attributes:
        cases: the cases, in the order of the response.
        links: the links to the previous and next pages.
    """

    cases: tuple[Case, ...]
    links: Links = attrs.field(factory=Links)


@attrs.frozen
class _PageDocument:
    data: tuple[Any, ...]
    links: Links | None = None
    included: tuple[Any, ...] | None = None


_ALONE: Final = Origin()
_BEFORE_CASE: Final = b'{"data":'
_decode_lone_record: Final = msgspec.json.Decoder(wire.LoneRecord).decode
_decode_document_record: Final = msgspec.json.Decoder(wire.DocumentRecord).decode


def decode_page(body: bytes, *, fieldset: Fieldset | None = None) -> DecodedPage:
    """Decode the response of `GET /cases` or `POST /cases/search`.

    Args:
        body: the body of the response.
        fieldset: the sparse fieldset of the request, if it had one.

    Raises:
        DecodeError: if the body is not JSON, or not a page of cases; `pointer` says where.
    """
    split = split_page(body)
    if split is None:
        return _read_odd_page(body, fieldset)
    record, links = split
    origin = _origin(record.data[:1], record.included, fieldset)
    return DecodedPage(_decode_cases(record.data, origin), links)


def _read_odd_page(body: bytes, fieldset: Fieldset | None) -> DecodedPage:
    try:
        check_utf8(body)
        page = parse_json(body)
    except DecodeError as error:
        failure = poisoned_case(body) or error
    else:
        return _read_page(page, fieldset)
    raise failure


def decode_case(body: bytes, *, fieldset: Fieldset | None = None) -> Case:
    """Decode the response to a request for one case, with the included objects.

    Args:
        body: the body of the response.
        fieldset: the sparse fieldset of the request, if it had one.

    Raises:
        DecodeError: if the body is not JSON, or not a document with a case; `pointer` says where.
    """
    check_utf8(body)
    if (usual := _decode_usual_case(body)) is not None:
        return Case(*usual, _ALONE if fieldset is None else Origin(fieldset))
    try:
        record = _decode_document_record(body)
    except REFUSED:
        record = None
    if record is None:
        document = structure(parse_json(body), Document)
        return Case.from_dict({"data": document.data, "included": document.included}, fieldset=fieldset)
    origin = _origin([record.data], record.included, fieldset)
    raw = bytes(record.data)
    return Case(read_record_text(raw, origin.spelling, "/data"), raw, origin)


def _decode_usual_case(body: bytes) -> tuple[wire.CaseRecord, bytes] | None:
    """Decode a document with one case and nothing else, and extract the JSON of the case.

    Returns:
        The record and the JSON of the case. None for any other document, or if no creation time shows that the case is
        spelled in snake_case.
    """
    if not (body.startswith(_BEFORE_CASE) and body.endswith(b"}")):
        return None
    try:
        record = _decode_lone_record(body).data
    except REFUSED:
        return None
    if record.attributes is None or record.attributes.created_at is None:
        return None
    return record, body[len(_BEFORE_CASE) : -1].strip()


def decode_line(line: bytes, index: int = 0, *, fieldset: Fieldset | None = None) -> Case:
    """Decode one case of a page, or of an export as JSON Lines.

    Args:
        line: the JSON of the case.
        index: its index among the cases of the page, for the error.
        fieldset: the sparse fieldset of the request, if it had one.

    Raises:
        DecodeError: if it is not a case; `case_id` and `pointer` say which case and where.
    """
    try:
        origin = Origin(fieldset, read_included([], "snake"), spelling_of(parse_json(line)))
        return Case(read_record_text(line, origin.spelling, f"/data/{index}"), line, origin)
    except DecodeError as error:
        failure = blame(error, line, f"/data/{index}")
    raise failure


def decode_resource(body: bytes, cls: type[R]) -> R:
    """Decode the response to a request for one object that is not a case, such as a `CaseTemplate`.

    Args:
        body: the body of the response.
        cls: the class that it must have; `Resource` for any.

    Raises:
        DecodeError: if the body is not JSON, or not a document with such an object; `pointer` says where.
    """
    check_utf8(body)
    return read_resource(structure(parse_json(body), Document).data, cls, pointer="/data")


def _decode_cases(slices: Iterable[msgspec.Raw], origin: Origin) -> tuple[Case, ...]:
    decode: Callable[[bytes], wire.CaseRecord] = decode_record
    snake = origin.spelling == "snake"
    cases: list[Case] = []
    for index, piece in enumerate(slices):
        raw = bytes(piece)
        try:
            record = decode(raw) if snake else None
        except REFUSED:
            record = None
        # Outside the handler, so that no error of the decoder, which may quote the body, becomes the context.
        cases.append(Case(record or _read_record(raw, origin, f"/data/{index}"), raw, origin))
    return tuple(cases)


def _read_record(raw: bytes, origin: Origin, pointer: str) -> wire.CaseRecord:
    try:
        return read_record_text(raw, origin.spelling, pointer)
    except DecodeError as error:
        failure = blame(error, raw, pointer)
    raise failure


def _origin(slices: list[msgspec.Raw], included: list[msgspec.Raw] | None, fieldset: Fieldset | None) -> Origin:
    # The client requests snake_case, and one response has one spelling. Check on the first case whether the server
    # complied, because otherwise every attribute would seem missing.
    others = [parse_json(bytes(each)) for each in included or ()]
    spelling = spelling_of(*map(_sample, slices), *others)
    return Origin(fieldset, read_included(others, spelling), spelling)


def _sample(piece: msgspec.Raw) -> Any:
    try:
        return parse_json(bytes(piece))
    except DecodeError:
        # A number beyond a float in an attribute that this library does not read is no reason to raise.
        return None


def _read_page(page: Any, fieldset: Fieldset | None = None) -> DecodedPage:
    document = structure(page, _PageDocument)
    others = document.included or ()
    spelling = spelling_of(*document.data[:1], *others)
    origin = Origin(fieldset, read_included(others, spelling), spelling)
    cases = (Case._read(each, origin, pointer=f"/data/{index}") for index, each in enumerate(document.data))
    return DecodedPage(tuple(cases), document.links or Links())


def _structure_page(value: Any, _: Any) -> DecodedPage:
    return decode_page(value) if isinstance(value, bytes) else _read_page(plain_json(value))


def _structure_case(value: Any, _: Any) -> Case:
    return decode_case(value) if isinstance(value, bytes) else Case.from_dict(value)


def _unstructure_case(case: Case) -> dict[str, Any]:
    return case.to_dict()


converter.register_structure_hook(DecodedPage, _structure_page)
converter.register_structure_hook(Case, _structure_case)
converter.register_unstructure_hook(Case, _unstructure_case)
