"""The names of a document in the three spellings that requests and answers may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["INFLECTIONS", "KEBAB", "Spelling"]

KEBAB = "kebab"

# Keys of custom fields are never inflected; before 2025-10-27 they were, but no document says what they are.
_LEFT_ALONE = "fields"


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _camel(name: str) -> str:
    return re.sub(r"[-_]+(\w)", lambda match: match[1].upper(), name)


def _loose(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


INFLECTIONS: Mapping[str, Callable[[str], str]] = {KEBAB: lambda name: name, "snake": _snake, "camel": _camel}


class Spelling:
    """Turns names back into those of a document.

    Args:
        names: every property's name in the document.
    """

    def __init__(self, names: Iterable[str]) -> None:
        # In reverse, so that of `a-b` and `a_b`, which look the same in snake case, the vendor's usual spelling wins.
        self._documented = sorted(names, reverse=True)
        self._several_words = frozenset(name for name in self._documented if "-" in name)
        self._known = {
            inflection: {spell(name): name for name in self._documented} for inflection, spell in INFLECTIONS.items()
        }
        self._known_loosely = {_loose(name): name for name in self._documented}

    def restored(self, value: Any, inflection: str) -> Any:
        """`value` with the document's names in place of their spellings in `inflection`.

        A name that should have been inflected and was not comes out as one that no document has.
        """
        if inflection == KEBAB:
            return value
        known = self._known[inflection]

        def restore(name: str) -> str:
            found = known.get(name)
            if found is not None:
                return found
            return f"{name} (not in {inflection} case)" if name in self._several_words else name

        return _renamed(value, restore)

    def restored_from_any(self, value: Any) -> Any:
        """`value` with the document's names in place of any spelling of them, as the vendor reads requests."""
        return _renamed(value, lambda name: self._known_loosely.get(_loose(name), name))


def _renamed(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_renamed(part, rename) for part in value]
    if not isinstance(value, dict):
        return value
    return {rename(name): part if name == _LEFT_ALONE else _renamed(part, rename) for name, part in value.items()}
