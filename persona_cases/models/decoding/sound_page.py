"""A page, and a document of one case, of which not everything can be decoded."""

from __future__ import annotations

from typing import Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.case import Case
from persona_cases.models.decoding.decode import DecodedPage, decode_line, decode_page
from persona_cases.models.decoding.key_inflection import without_spelling
from persona_cases.models.decoding.pieces import members, without_line_ends
from persona_cases.models.decoding.raw_page import decode_raw_page, moment_of
from persona_cases.models.decoding.record_paths import REFUSED
from persona_cases.models.decoding.records import AwareDatetime
from persona_cases.models.decoding.undecodable import Undecodable, id_of
from persona_cases.models.fieldset import Fieldset

__all__ = ["Signs", "decode_sound_page", "line_of", "signs_of"]

_NULL: Final = b"null"
_decode_time: Final = msgspec.json.Decoder(AwareDatetime).decode


@attrs.frozen(kw_only=True)
class Signs:
    """What can be read of a case that cannot be decoded. Times are in milliseconds since 1970.

    Attributes:
        created_at: when it was created; None if that cannot be read.
        updated_at: when it was changed last; None if that cannot be read.
        redacted: whether it is redacted; None if that cannot be read.
    """

    created_at: int | None = None
    updated_at: int | None = None
    redacted: bool | None = None


def decode_sound_page(body: bytes, *, fieldset: Fieldset | None = None) -> tuple[DecodedPage, list[Undecodable]]:
    """Decode the answer of `GET /cases` or `POST /cases/search`, without the cases that cannot be decoded.

    Args:
        body: the body of the answer.
        fieldset: the sparse fieldset of the request, if it had one.

    Returns:
        The page of all others, and those that cannot be decoded.

    Raises:
        DecodeError: if the cases of the body cannot be told apart.
    """
    try:
        return decode_page(body, fieldset=fieldset), []
    except DecodeError:
        # Out here, so that no text of the body is in the context of an error.
        pass
    raw, links = decode_raw_page(body)
    cases, aside = list[Case](), list(raw.aside)
    for index, line in enumerate(map(bytes, raw.lines)):
        try:
            cases.append(decode_line(line, index, fieldset=fieldset))
        except DecodeError as error:
            aside.append(Undecodable(line, error.with_traceback(None)))
    return DecodedPage(tuple(cases), links), aside


def line_of(body: bytes, id: str) -> bytes | None:
    """Return the text of the one case of a document, on one line.

    Args:
        body: the document.
        id: the id of the case.

    Returns:
        The text; None if there is no case of this id.
    """
    case = without_line_ends((members(body) or {}).get("data", b""))
    return case if id_of(case) == id else None


def signs_of(line: bytes) -> Signs:
    """Return what can be read of a case that cannot be decoded.

    Args:
        line: its text.
    """
    attributes = members((members(line) or {}).get("attributes", b""))
    if attributes is None:
        return Signs()
    # The server may have spelled them in another way than it was asked to.
    told = {without_spelling(name): text for name, text in attributes.items()}
    redacted = told.get("redactedat", _NULL) != _NULL
    return Signs(created_at=_moment(told, "createdat"), updated_at=_moment(told, "updatedat"), redacted=redacted)


def _moment(told: dict[str, bytes], name: str) -> int | None:
    try:
        return moment_of(_decode_time(told.get(name, b"")))
    except REFUSED:
        return None
