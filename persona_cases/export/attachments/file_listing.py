"""The files that a case lists, and their counterparts in a newer response. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.export.attachments.file_names import safe_names
from persona_cases.models import Attachment, Case
from persona_cases.models.decoding.jsontext import REFUSED, parse_json
from persona_cases.models.decoding.undecodable import id_of

__all__ = ["CaseFiles", "files_of", "readdressed"]

_NULL: Final = b"null"


class _FileAttributes(msgspec.Struct):
    # This name is the same in all spellings of the API.
    attachments: msgspec.Raw = msgspec.Raw(_NULL)


class _CaseLine(msgspec.Struct):
    id: str
    attributes: _FileAttributes | None = None


_decode_line = msgspec.json.Decoder(_CaseLine).decode


@attrs.frozen
class CaseFiles:
    """The files of a case, at least one.

    Attributes:
        case_id: the id of the case; a valid name of a directory.
        attachments: the files, in the order of the case.
        names: their names on the disk.
    """

    case_id: str
    attachments: tuple[Attachment, ...] = attrs.field(repr=False)
    names: tuple[str, ...] = attrs.field(repr=False)


def files_of(line: bytes) -> CaseFiles | None:
    """Return the files that are attached to a case; None if it has none, or does not list them.

    Args:
        line: the JSON of the case, in any spelling of its keys. Only its id and its attachments are read.

    Raises:
        DecodeError: if it is not a case, or its id cannot be the name of a directory.
    """
    try:
        case = _decode_line(line)
    except REFUSED:
        case = None
    if case is None:
        raise DecodeError("a line of the export is not a case", case_id=id_of(line))
    sent = bytes(case.attributes.attachments) if case.attributes else _NULL
    if sent == _NULL:
        return None
    if safe_names([case.id]) != [case.id]:
        raise DecodeError("the id of a case cannot be the name of a directory", pointer="/id")
    attachments = _attachments(case.id, sent)
    names = tuple(safe_names(each.filename for each in attachments))
    return CaseFiles(case.id, attachments, names) if attachments else None


def readdressed(listed: Iterable[Attachment], fresh: Iterable[Attachment]) -> list[Attachment | None]:
    """Find the same files in a newer response.

    Files of one name and size are matched in order, because the vendor only ever adds files.

    Args:
        listed: the files, in the order of the case.
        fresh: the files that the case lists now.

    Returns:
        For each file its newer form, or None if it no longer exists.
    """
    found: defaultdict[tuple[str | None, int | None], deque[Attachment]] = defaultdict(deque)
    for each in fresh:
        found[each.filename, each.byte_size].append(each)
    same = (found[each.filename, each.byte_size] for each in listed)
    return [each.popleft() if each else None for each in same]


def _attachments(case_id: str, sent: bytes) -> tuple[Attachment, ...]:
    try:
        # A case reduced to its files is read strictly, in any spelling, and cannot fail because of other attributes.
        read = Case.from_dict({"type": "case", "id": case_id, "attributes": {"attachments": parse_json(sent)}})
    except DecodeError as error:
        failure = DecodeError(error.reason, pointer=error.pointer, case_id=case_id)
    else:
        return read.attachments
    raise failure
