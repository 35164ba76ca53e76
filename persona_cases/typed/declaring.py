"""How a generated class declares its fields: `optional("key")`, `required("key")` and what else the template says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from persona_cases.typed.value_types import ValueType

__all__ = [
    "Declaration",
    "archived",
    "complete",
    "deactivated",
    "declarations_of",
    "optional",
    "required",
]


@attrs.frozen
class Declaration:
    """What a template says of a field, its type aside.

    Attributes:
        key: the key in `Case.fields`, exactly as the template has it.
        required: whether a new case needs a value.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
        closed: why the field takes no new values: it is `archived` or `deactivated`; None if it takes them.
    """

    key: str
    required: bool = False
    write_once: bool = False
    never_redacted: bool = False
    closed: str | None = None


def optional(key: str, *, write_once: bool = False, never_redacted: bool = False) -> Any:
    """Declare a field that a new case may leave out.

    Args:
        key: the key of the field in the template.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
    """
    return Declaration(key, write_once=write_once, never_redacted=never_redacted)


def required(key: str, *, write_once: bool = False, never_redacted: bool = False) -> Any:
    """Declare a field without which no case can be created.

    Args:
        key: the key of the field in the template.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
    """
    return Declaration(key, required=True, write_once=write_once, never_redacted=never_redacted)


def archived(key: str, *, write_once: bool = False, never_redacted: bool = False, init: Literal[False] = False) -> Any:
    """Declare a field that the template has archived: it can be read and searched for, and takes no new values.

    Args:
        key: the key of the field in the template.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
        init: tells type checkers that the constructor does not take the field.
    """
    return Declaration(key, write_once=write_once, never_redacted=never_redacted, closed="archived")


def deactivated(
    key: str, *, write_once: bool = False, never_redacted: bool = False, init: Literal[False] = False
) -> Any:
    """Declare a field that the template has deactivated: it can be read and searched for, and takes no new values.

    Args:
        key: the key of the field in the template.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
        init: tells type checkers that the constructor does not take the field.
    """
    return Declaration(key, write_once=write_once, never_redacted=never_redacted, closed="deactivated")


def declarations_of(cls: type) -> Iterator[tuple[str, Declaration, Any]]:
    """Return the name, the declaration and the annotation of each field that a class declares itself."""
    for name, annotation in inspect.get_annotations(cls, eval_str=True).items():
        declared = vars(cls).get(name)
        if isinstance(declared, Declaration):
            yield name, declared, annotation


def complete(cls: type, types: Mapping[str, ValueType], required: frozenset[str]) -> None:
    """Make a frozen attrs class of a class whose fields are known.

    Args:
        cls: the class; it is changed in place.
        types: the types of its fields by their names in Python.
        required: the fields that the constructor needs.
    """
    these = {
        name: attrs.field(
            default=attrs.NOTHING if name in required else None,
            converter=kind.settle,
            validator=_of_type(kind),
            repr=False,
            # What the API sends as JSON may be a list or a dict.
            hash=kind.plain is not Any,
            kw_only=True,
        )
        for name, kind in types.items()
    }
    # On an object, each name is a value and no descriptor.
    cls.__annotations__ = {name: kind.plain | None for name, kind in types.items()}
    # Without slots, values are in `__dict__`, where they hide the descriptor of their name.
    attrs.frozen(cls, these=these, slots=False, repr=False)


def _of_type(kind: ValueType) -> Any:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        kind.write(value, attribute.name, strict=False)

    return check
