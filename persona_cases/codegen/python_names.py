"""Python names for keys and titles from outside: valid, unique, and the same in every run."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from persona_cases.typed import TypedCase, TypedHash

__all__ = ["FIELD_RESERVED", "MEMBER_RESERVED", "MODULE_RESERVED", "attribute_names", "class_name", "unique"]

MODULE_RESERVED: Final = frozenset(
    {"Any", "Literal", "Sequence", "TypeAlias", "TypedDict", "Unpack", "dt", "typed", *dir(builtins)}
)
"""The names that generated modules import, and those of Python itself."""

# A class body with such a name could not use the object that the name hides.
_USED_IN_BODIES: Final = frozenset(
    {"Any", "Literal", "Sequence", "Unpack", "bool", "classmethod", "cls", "dict", "dt", "float", "int", "self"}
    | {"str", "tuple", "typed", "values"}
)


def _names_of(cls: type) -> frozenset[str]:
    return frozenset({*dir(cls), *cls.__annotations__})


FIELD_RESERVED: Final = _USED_IN_BODIES | _names_of(TypedCase) | {"changes"}
"""Names that a field of a template cannot have in Python."""

MEMBER_RESERVED: Final = _USED_IN_BODIES | _names_of(TypedHash)
"""Names that a member of a hash cannot have in Python."""

_LONGEST: Final = 40


def attribute_names(keys: Iterable[str], reserved: frozenset[str]) -> Mapping[str, str]:
    """Return a name for each key: the key itself, if it is a valid name.

    Args:
        keys: keys of fields, each once.
        reserved: names that get an underscore.
    """
    listed = list(keys)
    # Keys that are valid names keep them, regardless of their order.
    listed.sort(key=lambda key: _identifier(key) != key)
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in listed:
        name = _identifier(key)
        name = f"{name}_" if keyword.iskeyword(name) or name in reserved else name
        names[key] = unique(name, taken)
        taken.add(names[key])
    return names


def class_name(title: str) -> str:
    """Return a name in CapWords; capitals stay."""
    text = unicodedata.normalize("NFKC", title)
    words = re.findall(r"[^\W_]+", text)
    name = unicodedata.normalize("NFKC", "".join(word[0].upper() + word[1:] for word in words))[:_LONGEST]
    if not name:
        return "Template"
    name = name if name[0].isalpha() else f"Template{name}"
    if not name.isidentifier():
        return "Template"
    return f"{name}_" if keyword.iskeyword(name) or name in MODULE_RESERVED else name


def unique(name: str, taken: set[str]) -> str:
    """Return the name, with a number if it is taken."""
    if name not in taken:
        return name
    base, number = name.rstrip("_"), 2
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"


def _identifier(key: str) -> str:
    # Python normalises names to this form, so two keys may become one name.
    text = unicodedata.normalize("NFKC", key)
    text = "".join(letter if f"a{letter}".isidentifier() else "_" for letter in text)
    # A leading underscore would make the name private, and Python mangles two.
    text = re.sub(r"_{2,}", "_", text).strip("_")[:_LONGEST].rstrip("_")
    if not text:
        return "field"
    return text if text.isidentifier() else f"field_{text}"
