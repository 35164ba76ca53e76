"""The fields of typed templates: comparable on the class, and values on a typed case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar, get_args, get_origin, overload

import attrs

from persona_cases.errors import NotLoadedError, QueryError, QueryTypeError
from persona_cases.name_prefixes import CUSTOM
from persona_cases.query import Field, OrderedField, Predicate, TimeField
from persona_cases.query.attributes import Attribute, Kind, spell
from persona_cases.query.values import Scalar, unwrap_enum
from persona_cases.teaching import taught
from persona_cases.typed.declaring import Declaration
from persona_cases.typed.typed_hash import TypedHash
from persona_cases.typed.typed_lessons import BOOLEAN, STORED, TEXT
from persona_cases.typed.value_types import Number, ValueType

__all__ = [
    "ArrayField",
    "BooleanField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DeclaredField",
    "FileField",
    "HashField",
    "IntegerField",
    "JsonField",
    "MultiChoiceField",
    "NumberField",
    "RelationField",
    "TextField",
    "make_field",
]

L = TypeVar("L", bound=str)
T = TypeVar("T")
H = TypeVar("H", bound=TypedHash)
R = TypeVar("R")
W = TypeVar("W")

_FIRST_DAY: Final = "0001-01-01"


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TAKES: Final[Mapping[Any, tuple[str, Callable[[object], bool]]]] = {
    bool: ("True or False", _is_truth),
    int: ("an int or a float", _is_number),
    Number: ("an int or a float", _is_number),
}
_KINDS: Final[Mapping[Any, Kind]] = {str: Kind.TEXT, date: Kind.TIME, datetime: Kind.TIME}


@attrs.frozen
class DeclaredField(Attribute):
    """A custom field as a generated class declares it.

    Attributes:
        owner: the class.
        python_name: the name of its attribute.
        declaration: the template's rules for it.
        value_type: the type of its value.
        word: the API's name of its type, such as `multi_choices`.
    """

    owner: type = attrs.field(kw_only=True)
    python_name: str = attrs.field(kw_only=True)
    declaration: Declaration = attrs.field(kw_only=True)
    value_type: ValueType = attrs.field(kw_only=True)
    word: str = attrs.field(kw_only=True)

    def scalar(self, value: object) -> Scalar:
        """Return the JSON scalar for a value to compare with the field, or raise if they cannot be compared."""
        kind = self.value_type.item or self.value_type
        wanted, fits = _TAKES.get(kind.plain, ("", None))
        if fits is not None and not fits(unwrap_enum(value)):
            raise QueryTypeError(f"{self.name} takes {wanted}, not a value of type {type(value).__name__}")
        scalar = super().scalar(value)
        if kind.options and scalar not in kind.options:
            raise QueryError(
                f"{self.name} has no such option: choose one of the template's,"
                f" or write {spell(self.name)} for one that it no longer has"
            )
        return scalar


class Held(Generic[R, W]):
    """A descriptor that is itself on the class and the value on a typed case."""

    __slots__ = ()
    word: ClassVar[str]
    _attribute: DeclaredField

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> R | None: ...
    def __get__(self, instance: object, owner: type[Any]) -> Self | R | None:
        if instance is None:
            return self
        # A value would be in `__dict__`, which Python checks first.
        name = self._attribute.name
        raise NotLoadedError(f"{name!r} is not known: the request did not ask for it; add {name!r} to only=")

    if TYPE_CHECKING:
        # This declares the constructor's argument. At run time, a value in `__dict__` must win over the descriptor.
        def __set__(self, instance: object, value: W | None) -> None: ...

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation.

        Args:
            arguments: the arguments of the generic class.
        """
        raise NotImplementedError

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._attribute.owner, self._attribute.python_name)


@taught(TEXT)
class TextField(Held[str, str], Field[str]):
    """A field of type `string` or `email-address`."""

    __slots__ = ()
    word = "string"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return str


@taught(TEXT)
class ChoiceField(Held[L | str, L], Field[L]):
    """A field of type `choices`: it accepts the options of the template, and shows any other value that a case has."""

    __slots__ = ()
    word = "choices"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return arguments[0]


@taught(TEXT)
class MultiChoiceField(Held[tuple[L | str, ...], Sequence[L]], Field[L]):
    """A field of type `multi-choices`. A comparison takes one option and is true if the case has that option.

    The API does not document this comparison, so `matches` raises for it.
    """

    __slots__ = ()
    word = "multi_choices"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return GenericAlias(tuple, (arguments[0], ...))


@taught(BOOLEAN)
class BooleanField(Held[bool, bool], Field[bool]):
    """A field of type `boolean`."""

    __slots__ = ()
    word = "boolean"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return bool


class IntegerField(Held[int, int], OrderedField[float]):
    """A field of type `integer`."""

    __slots__ = ()
    word = "integer"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return int


class NumberField(Held[float, float], OrderedField[float]):
    """A field of type `number`."""

    __slots__ = ()
    word = "number"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return float


class _CustomTime(TimeField):
    __slots__ = ()

    def is_set(self) -> Predicate:
        """Match cases that have a value; sent as `gte("0001-01-01")`, because the API has no null."""
        return self._compare("gte", _FIRST_DAY)


class DateField(Held[date, date], _CustomTime):
    """A field of type `date`. A date is compared as the string of that day, a datetime as a point in time."""

    __slots__ = ()
    word = "date"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return date


class DateTimeField(Held[datetime, datetime], _CustomTime):
    """A field of type `datetime`. A date is compared as its UTC midnight."""

    __slots__ = ()
    word = "datetime"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return datetime


@taught(STORED)
class StoredField(Held[R, W]):
    """A field that the API stores but does not compare."""

    __slots__ = ("_attribute",)

    def __init__(self, attribute: DeclaredField) -> None:
        self._attribute = attribute

    def __repr__(self) -> str:
        return spell(self._attribute.name)


class ArrayField(StoredField[tuple[T, ...], Sequence[T]]):
    """A field of type `array`."""

    __slots__ = ()
    word = "array"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return GenericAlias(tuple, (arguments[0], ...))


class HashField(StoredField[H, H]):
    """A field of type `hash`, which holds an object of a generated class."""

    __slots__ = ()
    word = "hash"

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return arguments[0]


class _AnyJson(StoredField[Any, Any]):
    __slots__ = ()

    @classmethod
    def holds(cls, arguments: tuple[Any, ...]) -> Any:
        """Return what the field holds, as an annotation."""
        return Any


class JsonField(_AnyJson):
    """A field of type `json`, or of a type that this library does not know: JSON as the API sent it."""

    __slots__ = ()
    word = "json"


class FileField(_AnyJson):
    """A field of type `file`: JSON as the API sent it, because the vendor documents no shape."""

    __slots__ = ()
    word = "file"


class RelationField(_AnyJson):
    """A field that points to another object: JSON as the API sent it, because the vendor documents no shape."""

    __slots__ = ()
    word = "relation_schema"


def make_field(owner: type, name: str, declaration: Declaration, annotation: Any) -> tuple[Any, DeclaredField]:
    """Make the descriptor of a field of a generated class.

    Args:
        owner: the class.
        name: the name of its attribute.
        declaration: the template's rules for the field.
        annotation: one of the classes of this module, with its arguments.

    Returns:
        The descriptor, and the field's description.
    """
    cls: type[Held[Any, Any]] = get_origin(annotation) or annotation
    kind = ValueType.of(cls.holds(get_args(annotation)))
    declared = DeclaredField(
        CUSTOM + declaration.key,
        _KINDS.get((kind.item or kind).plain, Kind.ANY),
        may_lie_ahead=True,
        owner=owner,
        python_name=name,
        declaration=declaration,
        value_type=kind,
        word=cls.word,
    )
    return cls(declared), declared  # type: ignore[call-arg]
