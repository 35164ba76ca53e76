"""The prefixes of names: before the key of a custom field, or before a name newer than this library."""

from __future__ import annotations

from typing import Final

__all__ = ["CUSTOM", "EXTRA", "RELATIONSHIP", "custom_key"]

CUSTOM: Final = "fields."
"""The prefix of a custom field."""

EXTRA: Final = "extra."
"""The prefix of an attribute that this library does not know."""

RELATIONSHIP: Final = "relationships."
"""The prefix of a relationship that this library does not know."""


def custom_key(name: str) -> str | None:
    """Return the key of the custom field that a name stands for; None if it is not a custom field."""
    key = name.removeprefix(CUSTOM)
    return key if key and key != name else None
