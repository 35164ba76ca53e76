"""What an answer left out: null, or never asked for?"""

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
    """What all cases of one answer share.

    Attributes:
        fieldset: the sparse fieldset of the request, None if it asked for everything.
        included: the other objects in the answer.
        spelling: how the answer spelled its keys.
    """

    fieldset: Fieldset | None = None
    included: Included = attrs.field(factory=Included)
    spelling: Inflection = "snake"

    @classmethod
    def of(cls, shared: Shared) -> Origin:
        """Make it from what a pickle holds."""
        fieldset, objects, spelling = shared
        return cls(fieldset, Included(objects), spelling)

    @property
    def shared(self) -> Shared:
        """The same without a class of this room, for pickles."""
        return self.fieldset, self.included.objects, self.spelling


def check_asked(raw: bytes, origin: Origin, section: Literal["attributes", "relationships"], name: str) -> None:
    """Take the absence of a value for null only if the request asked for it, or the answer has it as null.

    Raises:
        NotLoadedError: a sparse fieldset left it out.
    """
    if origin.fieldset is None or name in origin.fieldset:
        return
    sent = getattr(_decode_sections(raw), section)
    if sent is None or spell(name, origin.spelling) not in sent:
        refuse_unasked(name, origin.fieldset)


def refuse_unasked(name: str, fieldset: Fieldset) -> None:
    """Raise the `NotLoadedError` for something that a sparse fieldset left out."""
    asked = ", ".join(map(repr, fieldset.names)) or "nothing"
    raise NotLoadedError(f"{name!r} is not known: the request asked for {asked}; add {name!r} to only=")
