"""The meaning of values missing from a response: null, or not requested."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import msgspec

from persona_cases.errors import NotLoadedError
from persona_cases.models.decoding.key_inflection import Inflection, spell
from persona_cases.models.fieldset import Fieldset
from persona_cases.models.included import Included
from persona_cases.models.objects import Resource

__all__ = ["Origin", "Shared", "check_asked", "refuse_unasked"]

Shared: TypeAlias = tuple[Fieldset | None, tuple[Resource, ...], Inflection]


class _Sections(msgspec.Struct, frozen=True):
    attributes: dict[str, msgspec.Raw] | None = None
    relationships: dict[str, msgspec.Raw] | None = None


_decode_sections = msgspec.json.Decoder(_Sections).decode


@attrs.frozen
class Origin:
    """The data that all cases of one response share.

    Attributes:
        fieldset: the sparse fieldset of the request; None if it loaded everything.
        included: the other objects in the response.
        spelling: how the response spelled its keys.
    """

    fieldset: Fieldset | None = None
    included: Included = attrs.field(factory=Included)
    spelling: Inflection = "snake"

    @classmethod
    def of(cls, shared: Shared) -> Origin:
        """Make an origin from the data in a pickle."""
        fieldset, objects, spelling = shared
        return cls(fieldset, Included(objects), spelling)

    @property
    def shared(self) -> Shared:
        """Return the same data without a class of this room, for pickles."""
        return self.fieldset, self.included.objects, self.spelling


def check_asked(raw: bytes, origin: Origin, section: Literal["attributes", "relationships"], name: str) -> None:
    """Check that a missing value means null: the request loaded it, or the response has it as null.

    Raises:
        NotLoadedError: if a sparse fieldset left it out.
    """
    if origin.fieldset is None or name in origin.fieldset:
        return
    sent = getattr(_decode_sections(raw), section)
    if sent is None or spell(name, origin.spelling) not in sent:
        refuse_unasked(name, origin.fieldset)


def refuse_unasked(name: str, fieldset: Fieldset) -> None:
    """Raise the `NotLoadedError` for a value that a sparse fieldset left out."""
    asked = ", ".join(map(repr, fieldset.names)) or "nothing"
    raise NotLoadedError(f"{name!r} is not known: the request asked for {asked}; add {name!r} to only=")
