"""The one conversion layer: a cattrs converter that never coerces.

By default, cattrs turns `None` into `"None"`, `5` into `"5"` and `"abc"` into `("a", "b", "c")`. Here each type accepts
only its own JSON type. `structure` is the entry point for external JSON: any failure (an exception group, a bare error)
becomes one `DecodeError` with the JSON pointer of the first wrong value, but without the value.
"""

from __future__ import annotations

import collections.abc
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import UnionType
from typing import Any, Final, Literal, NoReturn, TypeVar, cast, get_args, get_origin

import attrs
import cattrs
import cattrs.gen
import msgspec
from cattrs import AttributeValidationNote
from cattrs.cols import list_structure_factory

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.models.decoding.jsontext import json_type, step
from persona_cases.models.decoding.records import AwareDatetime
from persona_cases.surface import publish

__all__ = ["converter", "members_of", "refuse", "structure"]

# cattrs does not type every argument.
_generate: Final[Any] = cattrs.gen

T = TypeVar("T")
Structure = Callable[[Any, Any], Any]

_ARRAYS: Final[dict[Any, Callable[[list[Any]], Any]]] = {
    tuple: tuple,
    list: list,
    collections.abc.Sequence: tuple,
    collections.abc.Iterable: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Set: frozenset,
}
_EXACT: Final[dict[Any, str]] = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
_MISSING: Final = "a required member is missing"
_FAULTS: Final = (
    DecodeError,
    cattrs.BaseValidationError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)
_OBJECTS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def structure(value: object, cls: type[T], *, pointer: str = "") -> T:
    """Make a typed object from plain JSON.

    Args:
        value: the value that a JSON parser returned.
        cls: the class to make.
        pointer: the value's JSON pointer in its document, for the error.

    Raises:
        DecodeError: if a value has the wrong JSON type, or a required member is missing.
    """
    try:
        return converter.structure(value, cls)
    except _FAULTS as error:
        reason, path = _first_fault(error)
    # Raised outside the handler: the caught errors may hold values, and must not become the `__context__`.
    raise DecodeError(reason, pointer=pointer + path)


def members_of(value: object) -> Mapping[str, Any]:
    """Return the members of a JSON object."""
    # The value is usually a dict, and checking against an abstract class is slow.
    if type(value) is not dict and not isinstance(value, Mapping):
        refuse("object", value)
    return cast("Mapping[str, Any]", value)


def refuse(expected: str, value: object) -> NoReturn:
    """Return the error for a value that has another JSON type than expected."""
    raise DecodeError(f"expected {expected}, got {json_type(value)}")


def _first_fault(error: BaseException) -> tuple[str, str]:
    """Return the reason and the relative JSON pointer of the first fault."""
    if isinstance(error, DecodeError):
        return error.reason, error.pointer
    if isinstance(error, cattrs.ClassValidationError | cattrs.IterableValidationError):
        noted, bare = error.group_exceptions()
        if noted:
            nested, note = noted[0]
            reason, path = _first_fault(nested)
            segment = note.name if isinstance(note, AttributeValidationNote) else note.index
            return reason, step(segment) + path
        return _first_fault(bare[0])
    if isinstance(error, KeyError):
        return _MISSING, ""
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply", ""
    return "not a value that this attribute can have", ""


def _scalar_hook(kind: type, name: str) -> Structure:
    def structure_scalar(value: Any, _: Any) -> Any:
        # `type`, not `isinstance`: a bool is an int to Python, but not in JSON.
        return value if type(value) is kind else refuse(name, value)

    return structure_scalar


def _structure_float(value: Any, _: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        refuse("finite number", value)
    return float(value)


def _moment_hook(kind: Any, name: str, expected: str) -> Structure:
    def structure_moment(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            refuse(f"string with a {name}", value)
        try:
            # The parser of the fast path, so that both accept the same spellings.
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            reason = f"expected a {expected}, as RFC 3339 writes it"
        raise DecodeError(reason)

    return structure_moment


def _literal_hook(cls: Any) -> Structure:
    constants: tuple[Any, ...] = get_args(cls)
    expected = " or ".join(map(repr, constants))

    def structure_literal(value: Any, _: Any) -> Any:
        if not any(type(value) is type(each) and value == each for each in constants):
            raise DecodeError(f"expected {expected}, got another {json_type(value)}")
        return value

    return structure_literal


def _union_hook(cls: Any) -> Structure:
    kinds = get_args(cls)
    expected = " or ".join(_EXACT[kind] for kind in kinds)

    def structure_union(value: Any, _: Any) -> Any:
        return value if type(value) in kinds else refuse(expected, value)

    return structure_union


def _array_hook(cls: Any, made: cattrs.Converter) -> Structure:
    build = _ARRAYS[get_origin(cls) or cls]
    item: Any = next((each for each in get_args(cls) if each is not Ellipsis), Any)
    structure_items = list_structure_factory(list[item], made)

    def structure_array(value: Any, _: Any) -> Any:
        # cattrs accepts any iterable, such as a string.
        if not isinstance(value, list | tuple):
            refuse("array", value)
        return build(structure_items(value, list))

    return structure_array


def _object_hook(cls: Any, made: cattrs.Converter) -> Structure:
    item: Any = (*get_args(cls), Any, Any)[1]
    return _of_members(_generate.mapping_structure_factory(dict[str, item], made))


def _struct_hook(cls: Any, made: cattrs.Converter) -> Structure:
    fields = {
        each.name: attrs.field(type=each.type, default=attrs.NOTHING if each.required else None)
        for each in msgspec.structs.fields(cls)
    }
    shape = attrs.make_class(cls.__name__, fields, kw_only=True)
    return _of_members(_generate.make_dict_structure_fn_from_attrs(list(attrs.fields(shape)), cls, made))


def _attrs_hook(cls: Any, made: cattrs.Converter) -> Structure:
    return _of_members(_generate.make_dict_structure_fn(cls, made))


def _of_members(generated: Structure) -> Structure:
    """Make a function of cattrs, which looks up members with `in`, accept only JSON objects."""

    def structure_members(value: Any, cls: Any) -> Any:
        return generated(members_of(value), cls)

    return structure_members


def _unstructure_datetime(value: datetime) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError("a datetime must have a time zone, such as datetime.now(UTC)")
    text: str = msgspec.to_builtins(value)
    return text


def _is_array(cls: Any) -> bool:
    arguments = get_args(cls)
    homogeneous = len(arguments) < 2 or arguments[1] is Ellipsis
    return (get_origin(cls) or cls) in _ARRAYS and homogeneous


def _make_converter() -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=True)
    for kind, name in _EXACT.items():
        made.register_structure_hook(kind, _scalar_hook(kind, name))
    made.register_structure_hook(float, _structure_float)
    made.register_structure_hook(datetime, _moment_hook(AwareDatetime, "time", "time with an offset"))
    made.register_structure_hook(date, _moment_hook(date, "date", "date"))
    made.register_unstructure_hook(datetime, _unstructure_datetime)
    made.register_structure_hook_factory(attrs.has, _attrs_hook)
    made.register_structure_hook_factory(_is_struct, _struct_hook)
    made.register_structure_hook_factory(_is_array, _array_hook)
    made.register_structure_hook_factory(_is_object, _object_hook)
    made.register_structure_hook_factory(_is_literal, _literal_hook)
    made.register_structure_hook_factory(_is_union_of_scalars, _union_hook)
    return made


def _is_object(cls: Any) -> bool:
    return (get_origin(cls) or cls) in _OBJECTS


def _is_literal(cls: Any) -> bool:
    origin: Any = get_origin(cls)
    return origin is Literal


def _is_union_of_scalars(cls: Any) -> bool:
    return isinstance(cls, UnionType) and all(each in _EXACT for each in get_args(cls))


def _is_struct(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, msgspec.Struct)


converter: Final = _make_converter()
"""The configured converter: strict, and the same for every model. Use `structure` for external JSON."""


publish("persona_cases.models", structure)
