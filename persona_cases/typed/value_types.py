"""`ValueType`: the Python type of a custom field, and its conversion from and to JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from types import GenericAlias, NoneType, UnionType
from typing import Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import converter, structure
from persona_cases.models.decoding.converter import refuse

__all__ = ["ValueType", "WireHash"]


class Number(float):
    """The number type for cattrs: an integer that a float cannot hold exactly stays an integer."""


def _structure_number(value: Any, _: Any) -> float:
    if type(value) is int:
        return _as_float(value)
    if type(value) is not float or not math.isfinite(value):
        refuse("finite number", value)
    return value


def _as_float(value: int) -> float:
    try:
        number = float(value)
    except OverflowError:
        return value
    return number if number == value else value


converter.register_structure_hook(Number, _structure_number)


class WireHash:
    """The interface of nested classes: members that can be written."""

    def to_wire(self, where: str, *, strict: bool) -> dict[str, Any]:
        """Return the members by key, as plain JSON."""
        raise NotImplementedError


@attrs.frozen
class ValueType:
    """The type of a value.

    Attributes:
        plain: the type that cattrs structures.
        options: the strings that can be written, if they are fixed. Other strings can be read.
        item: the type of the items, if the value is a list.
        annotation: the type as displayed.
    """

    plain: Any
    options: tuple[str, ...] = ()
    item: ValueType | None = None
    annotation: Any = Any

    @classmethod
    def of(cls, annotation: Any) -> ValueType:
        """Parse an annotation: `str | None`, `Literal["a", "b"] | str`, `tuple[date, ...]`, a nested class, `Any`."""
        return attrs.evolve(cls._of(annotation), annotation=annotation)

    @classmethod
    def _of(cls, annotation: Any) -> ValueType:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in {Union, UnionType}:
            kinds = [cls.of(each) for each in arguments if each is not NoneType]
            return next((kind for kind in kinds if kind.options), kinds[0])
        if origin is Literal:
            return cls(str, options=tuple(map(str, arguments)))
        if origin is tuple:
            item = cls.of(arguments[0])
            return cls(GenericAlias(tuple, (item.plain, ...)), item=item)
        return cls(Number if annotation is float else annotation)

    @property
    def hashable(self) -> bool:
        """Whether values can be hashed; plain JSON lists and objects cannot."""
        return self.plain is not Any if self.item is None else self.item.hashable

    def read(self, value: object, pointer: str) -> Any:
        """Return the Python value for unwrapped JSON, including null.

        Raises:
            DecodeError: if it has another type.
        """
        if value is None:
            return None
        return structure(value, self.plain, pointer=pointer)

    def write(self, value: object, where: str, *, strict: bool) -> Any:
        """Return the plain JSON of a Python value.

        Args:
            value: the caller's value.
            where: its name in error messages.
            strict: whether to raise for strings that are not options.

        Raises:
            InvalidArgumentError: if the value cannot be written.
        """
        value = value.value if isinstance(value, Enum) else value
        if value is None or self.plain is Any:
            return value
        if self.item is not None:
            return self._write_items(value, where, strict=strict)
        if isinstance(value, WireHash) and type(value) is self.plain:
            return value.to_wire(where, strict=strict)
        wanted, write = _SCALARS.get(self.plain) or (f"a {self.plain.__name__}", _never)
        written = write(value)
        if written is None:
            raise InvalidArgumentError(f"{where} must be {wanted}, not {_kind_of(value)}")
        if strict and self.options and written not in self.options:
            raise InvalidArgumentError(f"{where} must be one of {_listed(self.options)}")
        return written

    def settle(self, value: object) -> object:
        """Return an immutable form of the value: a list becomes a tuple."""
        return tuple(cast("list[object]", value)) if self.item is not None and isinstance(value, list) else value

    def _write_items(self, value: object, where: str, *, strict: bool) -> list[Any]:
        item = self.item
        if item is None or not isinstance(value, list | tuple):
            raise InvalidArgumentError(f"{where} must be a list or a tuple, not {_kind_of(value)}")
        items = cast("list[object]", value)
        if any(each is None for each in items):
            raise InvalidArgumentError(f"{where} must not contain None")
        return [item.write(each, f"{where}[{index}]", strict=strict) for index, each in enumerate(items)]


_MOST_SHOWN: Final = 12


def _listed(options: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, options[:_MOST_SHOWN]))
    return shown if len(options) <= _MOST_SHOWN else f"{shown} and {len(options) - _MOST_SHOWN} more"


def _kind_of(value: object) -> str:
    return type(value).__name__


def _never(_: object) -> None:
    return None


def _text(value: object) -> str | None:
    return str.__str__(value) if isinstance(value, str) else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: object) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _day(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None


def _moment(value: object) -> str | None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return None
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return None


_Write: TypeAlias = Callable[[object], "str | float | bool | None"]
_SCALARS: Final[Mapping[Any, tuple[str, _Write]]] = {
    str: ("a str", _text),
    bool: ("True or False", _truth),
    int: ("an int", _integer),
    Number: ("an int or a float", _number),
    date: ("a date without a time", _day),
    datetime: ("an aware datetime, such as datetime.now(UTC)", _moment),
}
