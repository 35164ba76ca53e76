"""Decoding of pages and single-case documents that contain undecodable cases."""

from __future__ import annotations

from typing import Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.case import Case
from persona_cases.models.decoding.decode import DecodedPage, decode_line, decode_page
from persona_cases.models.decoding.jsontext import REFUSED
from persona_cases.models.decoding.key_inflection import without_spelling
from persona_cases.models.decoding.pieces import members, without_line_ends
from persona_cases.models.decoding.raw_page import decode_raw_page, moment_of
from persona_cases.models.decoding.records import AwareDatetime
from persona_cases.models.decoding.undecodable import UndecodableCase, id_of
from persona_cases.models.fieldset import Fieldset

__all__ = ["Signs", "decode_sound_page", "line_of", "signs_of"]

_NULL: Final = b"null"
_decode_time: Final = msgspec.json.Decoder(AwareDatetime).decode


@attrs.frozen(kw_only=True)
class Signs:
    """The readable parts of an undecodable case. Times are in milliseconds since 1970.

    Attributes:
        created_at: when it was created; None if that cannot be read.
        updated_at: when it was last changed; None if that cannot be read.
        redacted: whether it is redacted; None if that cannot be read.
    """

    created_at: int | None = None
    updated_at: int | None = None
    redacted: bool | None = None


def decode_sound_page(body: bytes, *, fieldset: Fieldset | None = None) -> tuple[DecodedPage, list[UndecodableCase]]:
    """Decode the response of `GET /cases` or `POST /cases/search`, setting undecodable cases aside.

    Args:
        body: the body of the response.
        fieldset: the sparse fieldset of the request, if it had one.

    Returns:
        The page of decodable cases, and the undecodable cases.

    Raises:
        DecodeError: if the cases of the body cannot be separated.
    """
    try:
        return decode_page(body, fieldset=fieldset), []
    except DecodeError:
        # Outside the handler, so that the error's context holds nothing of the body.
        pass
    raw, links = decode_raw_page(body)
    cases, aside = list[Case](), list(raw.aside)
    for index, line in enumerate(map(bytes, raw.lines)):
        try:
            cases.append(decode_line(line, index, fieldset=fieldset))
        except DecodeError as error:
            aside.append(UndecodableCase(line, error.with_traceback(None)))
    return DecodedPage(tuple(cases), links), aside


def line_of(body: bytes, id: str) -> bytes | None:
    """Return the JSON of the one case of a document, on one line.

    Args:
        body: the document.
        id: the id of the case.

    Returns:
        The JSON; None if there is no case with this id.
    """
    case = without_line_ends((members(body) or {}).get("data", b""))
    return case if id_of(case) == id else None


def signs_of(line: bytes) -> Signs:
    """Return the readable parts of an undecodable case.

    Args:
        line: its JSON.
    """
    attributes = members((members(line) or {}).get("attributes", b""))
    if attributes is None:
        return Signs()
    # The server may have used a spelling other than the requested one.
    told = {without_spelling(name): text for name, text in attributes.items()}
    redacted = told.get("redactedat", _NULL) != _NULL
    return Signs(created_at=_moment(told, "createdat"), updated_at=_moment(told, "updatedat"), redacted=redacted)


def _moment(told: dict[str, bytes], name: str) -> int | None:
    try:
        return moment_of(_decode_time(told.get(name, b"")))
    except REFUSED:
        return None
