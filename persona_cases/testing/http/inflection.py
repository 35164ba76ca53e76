"""Spelling of names in responses: kebab-case, snake_case or camelCase.

Attribute and relationship names follow the request's `Key-Inflection`; types, ids and (since 2025-10-27) the
keys of custom fields never do. See https://docs.withpersona.com/api-key-inflection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeGuard

from persona_cases.testing.http.json_types import is_array, is_object

__all__ = ["Inflection", "inflect", "inflect_tree", "is_inflection", "to_snake"]

Inflection = Literal["kebab", "snake", "camel"]

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def is_inflection(text: str) -> TypeGuard[Inflection]:
    """Return whether `text` is one of the three values of `Key-Inflection`."""
    return text in _SPELL


@lru_cache(maxsize=4096)
def to_snake(name: str) -> str:
    """Return a name of any of the three spellings in snake case."""
    return _HUMP.sub(lambda hump: f"_{hump[1].lower()}", name).replace("-", "_")


@lru_cache(maxsize=4096)
def inflect(name: str, inflection: Inflection) -> str:
    """Return a name of any of the three spellings in the requested one."""
    return _SPELL[inflection](to_snake(name))


def inflect_tree(value: Any, inflection: Inflection) -> Any:
    """Return `value` with all keys of objects inflected, except those under `fields`."""
    if is_array(value):
        return [inflect_tree(part, inflection) for part in value]
    if not is_object(value):
        return value
    return {
        inflect(name, inflection): part if name == "fields" else inflect_tree(part, inflection)
        for name, part in value.items()
    }


def _camel(snake: str) -> str:
    first, *rest = snake.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


_SPELL: Mapping[str, Callable[[str], str]] = {
    "kebab": lambda snake: snake.replace("_", "-"),
    "snake": lambda snake: snake,
    "camel": _camel,
}
