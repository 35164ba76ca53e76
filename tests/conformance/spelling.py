"""The names of a document in the three spellings that requests and answers may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

__all__ = ["INFLECTIONS", "KEBAB", "Spelling"]

KEBAB = "kebab"

# Keys of custom fields are never inflected; before 2025-10-27 they were, but no document says what they are.
_LEFT_ALONE = "fields"
_COMPOSITE = (dict, list)


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
        loosely = {_loose(name): name for name in self._documented}
        self._names = {inflection: _Names(partial(self._restore, inflection)) for inflection in INFLECTIONS}
        self._names_from_any = _Names(lambda name: loosely.get(_loose(name), name))

    def restored(self, value: Any, inflection: str) -> Any:
        """`value` with the document's names in place of their spellings in `inflection`.

        A name that should have been inflected and was not comes out as one that no document has.
        """
        return value if inflection == KEBAB else _renamed(value, self._names[inflection])

    def restored_from_any(self, value: Any) -> Any:
        """`value` with the document's names in place of any spelling of them, as the vendor reads requests."""
        return _renamed(value, self._names_from_any)

    def _restore(self, inflection: str, name: str) -> str:
        found = self._known[inflection].get(name)
        if found is not None:
            return found
        return f"{name} (not in {inflection} case)" if name in self._several_words else name


class _Names(dict[str, str]):
    """The document's name of each name that was asked for: pages have the same ones a hundred times."""

    def __init__(self, rename: Callable[[str], str]) -> None:
        super().__init__()
        self._rename = rename

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, self._rename(name))


def _renamed(value: Any, names: _Names) -> Any:
    if isinstance(value, dict):
        return {
            names[name]: _renamed(part, names) if name != _LEFT_ALONE and isinstance(part, _COMPOSITE) else part
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_renamed(part, names) if isinstance(part, _COMPOSITE) else part for part in value]
    return value
