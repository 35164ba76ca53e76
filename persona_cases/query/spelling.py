"""How the attributes are written in Python: the part of `repr` that fields, sorts and predicates share."""

from __future__ import annotations

from persona_cases.query.attributes import SEARCHABLE, custom_key, is_plain_key

__all__ = ["spell", "spell_untyped"]


def spell(name: str) -> str:
    """The shortest way to write the attribute of that name."""
    if name in SEARCHABLE:
        return f"Q.{name}"
    key = custom_key(name)
    if key is None:
        return spell_untyped(name)
    return f"Q.fields.{key}" if is_plain_key(key) else f"Q.fields[{key!r}]"


def spell_untyped(name: str) -> str:
    """The way to write an attribute that takes any value."""
    return f"Q.attribute({name!r})"
