"""The decoder of usual cases: it accepts only the names that it was made for, and takes them apart fast."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, get_type_hints

import msgspec

from persona_cases.export.columns.column import ATTACHMENTS, FIXED
from persona_cases.export.columns.types import TIME
from persona_cases.models.decoding import records as wire
from persona_cases.name_prefixes import EXTRA, RELATIONSHIP

__all__ = ["TIMES", "WrappedValue", "can_be_taught", "slot_of", "usual_decoder"]

_FIELDS: Final = "fields"
TIMES: Final = tuple(column.name for column in FIXED if column.type == TIME)
"""The attributes that are times, which the decoder leaves as text."""

_UNTEACHABLE: Final = re.compile(r'["\\\x00-\x1f]')


class WrappedValue(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A custom field as the API sends it."""

    type: str
    value: Any


def can_be_taught(name: str) -> bool:
    """Whether a decoder can be made that accepts a name; cases that have another are unusual."""
    # msgspec refuses others for members of a Struct.
    return _UNTEACHABLE.search(name) is None


@lru_cache(maxsize=16)
def usual_decoder(extras: tuple[str, ...], keys: tuple[str, ...] | None = None) -> Callable[[bytes], Any]:
    """Return a decoder that accepts only the known names and these. Making one takes about a millisecond.

    Args:
        extras: attributes and relationships that this library does not know.
        keys: the custom fields, which become a Struct; None for any, in a dict.
    """
    hints = get_type_hints(wire.Attributes, include_extras=True)
    fields = dict[str, WrappedValue] if keys is None else _fields_struct(keys)
    hints |= {_FIELDS: fields | None, ATTACHMENTS: msgspec.Raw} | dict.fromkeys(TIMES, str | None)
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


def _fields_struct(keys: Sequence[str]) -> Any:
    named = {slot_of(number): key for number, key in enumerate(keys)}
    sent = [(slot, WrappedValue, None) for slot in named]
    return msgspec.defstruct("UsualFields", sent, rename=named, frozen=True, gc=False, forbid_unknown_fields=True)


def _section(hints: dict[str, Any], extras: Sequence[str], prefix: str) -> Any:
    known = [(name, hint, msgspec.Raw() if hint is msgspec.Raw else None) for name, hint in hints.items()]
    named = {
        slot_of(number): name.removeprefix(prefix) for number, name in enumerate(extras) if name.startswith(prefix)
    }
    new = [(slot, msgspec.Raw, msgspec.Raw()) for slot in named]
    return msgspec.defstruct(
        "UsualSection", [*known, *new], rename=named, frozen=True, gc=False, forbid_unknown_fields=True
    )


def slot_of(number: int) -> str:
    """Return how a decoded section names the extra, or the custom field, of this number."""
    # A name from outside need not be one that Python takes.
    return f"extra_{number}"
