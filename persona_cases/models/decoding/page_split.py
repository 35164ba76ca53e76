"""Splitting of a page into the JSON of its cases, for typed and raw pages alike."""

from __future__ import annotations

from typing import Final, cast

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.decoding.jsontext import REFUSED, is_utf8
from persona_cases.models.decoding.records import Links, PageRecord

__all__ = ["split_page"]

_decode_page_record: Final = msgspec.json.Decoder(PageRecord).decode


def split_page(body: bytes) -> tuple[PageRecord, Links] | None:
    """Find where each case of a page begins and ends; None if the body is not a page of the expected form."""
    if not isinstance(cast("object", body), (bytes, bytearray)):
        raise InvalidArgumentError("body must be bytes, as the API sent them")
    if not (body.isascii() or is_utf8(body)):
        return None
    try:
        record = _decode_page_record(body)
    except REFUSED:
        return None
    return record, record.links or Links()
