"""`UNSET`: an argument that was left out, where `None` has a meaning of its own."""

from __future__ import annotations

import enum
from typing import Final, Literal, TypeAlias

from persona_cases.surface import publish

__all__ = ["UNSET", "Unset", "UnsetType"]


class UnsetType(enum.Enum):
    """The type of `UNSET`; an enum, because type checkers then narrow `value is UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


Unset: TypeAlias = Literal[UnsetType.UNSET]
"""The annotation for an argument that can be left out: `str | None | Unset`."""

UNSET: Final = UnsetType.UNSET
"""Leave the attribute as it is, where `None` would clear it."""


publish("persona_cases.models", UnsetType)
