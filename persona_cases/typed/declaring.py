"""The field declarations of a generated class: `optional("key")`, `required("key")` and other rules of the template."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import update_wrapper
from typing import Any, Literal

import attrs

from persona_cases.teaching import shortened, suggestion
from persona_cases.typed.value_types import ValueType

__all__ = [
    "Declaration",
    "archived",
    "complete",
    "deactivated",
    "declarations_of",
    "no_such_field",
    "optional",
    "required",
]


@attrs.frozen
class Declaration:
    """A template's rules for a field, except its type.

    Attributes:
        key: the key in `Case.fields`, exactly as in the template.
        required: whether a new case needs a value.
        write_once: whether a value cannot be changed once set.
        never_redacted: whether a redaction keeps the value.
        closed: why the field takes no new values: `archived` or `deactivated`; None if it takes them.
    """

    key: str
    required: bool = False
    write_once: bool = False
    never_redacted: bool = False
    closed: str | None = None


def optional(key: str, *, write_once: bool = False, never_redacted: bool = False) -> Any:
    """Declare a field that a new case need not have.

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
    """Declare a field that the template has archived: it can be read and searched, but takes no new values.

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
    """Declare a field that the template has deactivated: it can be read and searched, but takes no new values.

    Args:
        key: the key of the field in the template.
        write_once: whether a value stays once it is set.
        never_redacted: whether a redaction leaves the value.
        init: tells type checkers that the constructor does not take the field.
    """
    return Declaration(key, write_once=write_once, never_redacted=never_redacted, closed="deactivated")


def declarations_of(cls: type) -> Iterator[tuple[str, Declaration, Any]]:
    """Return the name, declaration and annotation of each field that a class itself declares."""
    for name, annotation in inspect.get_annotations(cls, eval_str=True).items():
        declared = vars(cls).get(name)
        if isinstance(declared, Declaration):
            yield name, declared, annotation


def complete(cls: type, types: Mapping[str, ValueType], required: frozenset[str]) -> None:
    """Turn a class with known fields into a frozen attrs class.

    Args:
        cls: the class; it is changed in place.
        types: the types of its fields, by Python name.
        required: the fields that the constructor requires.
    """
    these = {
        name: attrs.field(
            default=attrs.NOTHING if name in required else None,
            converter=kind.settle,
            validator=_of_type(kind),
            repr=False,
            hash=kind.hashable,
            kw_only=True,
        )
        for name, kind in types.items()
    }
    # On an object, each name is a value, not a descriptor.
    cls.__annotations__ = {name: kind.plain | None for name, kind in types.items()}
    # Without slots, values are in `__dict__`, where they hide the descriptor of the same name.
    attrs.frozen(cls, these=these, slots=False, repr=False)
    setattr(cls, "__init__", _helpful(vars(cls)["__init__"], cls.__name__, types, required))  # noqa: B010 - checkers read the fields


def _helpful(
    init: Callable[..., None], owner: str, types: Mapping[str, ValueType], required: frozenset[str]
) -> Callable[..., None]:
    """Return a constructor that explains a wrong call in terms of the template."""

    def __init__(self: object, /, *args: object, **values: object) -> None:  # noqa: N807 - its name in tracebacks
        problem = _misused(owner, types, required, args, values)
        if problem is not None:
            # A traceback may be shown with the locals of its frames.
            del args, values
            raise TypeError(problem)
        init(self, **values)

    init.__annotations__ = {**{name: kind.annotation | None for name, kind in types.items()}, "return": None}
    return update_wrapper(__init__, init)


def no_such_field(owner: str, name: str, known: Iterable[str]) -> str:
    """Return the message about a field that a generated class lacks."""
    return f"{owner} has no field {shortened(name)!r}{suggestion(name, known)}"


def _misused(
    owner: str,
    types: Mapping[str, ValueType],
    required: frozenset[str],
    args: tuple[object, ...],
    values: Mapping[str, object],
) -> str | None:
    if args:
        return f"{owner} takes values by name, such as {owner}({next(iter(types), 'field')}=...)"
    for name in values:
        if name not in types:
            return no_such_field(owner, name, types)
    missing = [name for name in types if name in required and name not in values]
    return f"{owner} needs {', '.join(missing)}: the template requires a value" if missing else None


def _of_type(kind: ValueType) -> Any:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        kind.write(value, attribute.name, strict=False)

    return check
