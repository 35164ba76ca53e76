"""Undecodable cases: which case it is, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.decoding.jsontext import REFUSED, check_utf8, parse_json, step
from persona_cases.models.decoding.pieces import is_json, members, pieces, without_line_ends

__all__ = ["UndecodableCase", "blame", "creation_of", "id_of", "poisoned_case", "separated"]

_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
_NOT_UNICODE: Final = "a text holds half of a surrogate pair, which is not Unicode"
# Beyond this depth, the pointer of a value is of no use.
_DEEPEST: Final = 16


@attrs.frozen
class UndecodableCase:
    """A case that was set aside.

    Attributes:
        line: the case on one line, as the API sent it.
        error: what is wrong with it.
        moment: when it was created, in milliseconds since 1970; None if that cannot be read.
    """

    line: bytes = attrs.field(repr=False)
    error: DecodeError = attrs.field(eq=False)
    moment: int | None = None


def id_of(case: bytes) -> str | None:
    """Return the id in the JSON of a case; None if there is none that can be printed."""
    text = (members(case) or {}).get("id", b"")
    try:
        found = msgspec.json.decode(text, type=str)
    except REFUSED:
        return None
    return found if _ID.fullmatch(found) else None


def creation_of(case: bytes) -> bytes:
    """Return the creation time in the JSON of a case, as JSON; nothing if there is none."""
    return (members((members(case) or {}).get("attributes", b"")) or {}).get("created_at", b"")


def separated(body: bytes) -> tuple[list[bytes], list[UndecodableCase], bytes] | None:
    """Separate the cases of a page without looking at their values.

    Args:
        body: the body of the response.

    Returns:
        The cases that are JSON, on one line each; the other cases; and the JSON of the links. None if the cases cannot
        be separated.
    """
    document = members(body) or {}
    cases = pieces(document.get("data", b""))
    if cases is None:
        return None
    lines, aside = list[bytes](), list[UndecodableCase]()
    for index, case in enumerate(cases):
        line = without_line_ends(case)
        if is_json(line):
            lines.append(line)
        else:
            aside.append(UndecodableCase(line, blame(DecodeError("not JSON"), line, f"/data/{index}")))
    return lines, aside, document.get("links", b"null")


def blame(error: DecodeError, case: bytes, pointer: str) -> DecodeError:
    """Return a copy of an error that names the case, and points to the value as closely as possible.

    Args:
        error: the error raised for the case.
        case: its JSON.
        pointer: its JSON pointer in its document.
    """
    reason = _NOT_UNICODE if error.reason.startswith("not JSON") and is_json(case) else error.reason
    where = error.pointer if error.pointer.startswith(pointer) and error.pointer != pointer else ""
    return DecodeError(
        reason, pointer=where or pointer + _place(case), request_id=error.request_id, case_id=id_of(case)
    )


def poisoned_case(body: bytes) -> DecodeError | None:
    """Return the error of the first undecodable case of a page; None if no case is the cause."""
    for index, case in enumerate(pieces((members(body) or {}).get("data", b"")) or ()):
        failure = _failure(case)
        if failure is not None:
            return blame(failure, case, f"/data/{index}")
    return None


def _failure(text: bytes) -> DecodeError | None:
    try:
        check_utf8(text)
        parse_json(text)
    except DecodeError as error:
        return error
    return None


def _place(case: bytes) -> str:
    """Return the JSON pointer, within the case, of the value that cannot be decoded."""
    pointer, text = "", case
    for _ in range(_DEEPEST):
        named = members(text)
        inside: Iterable[tuple[str | int, bytes]] = enumerate(pieces(text) or ()) if named is None else named.items()
        bad = next(((name, value) for name, value in inside if _failure(value) is not None), None)
        if bad is None:
            break
        pointer, text = pointer + step(bad[0]), bad[1]
    return pointer
