"""`TypedHash`: the base of the classes that represent fields of type `hash`."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, TypeVar, cast, dataclass_transform

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import converter
from persona_cases.models.decoding.converter import members_of
from persona_cases.models.decoding.jsontext import step
from persona_cases.typed.declaring import Declaration, archived, complete, deactivated, declarations_of, required
from persona_cases.typed.value_types import ValueType, WireHash

__all__ = ["TypedHash"]

H = TypeVar("H", bound="TypedHash")


class _Member(NamedTuple):
    declaration: Declaration
    type: ValueType


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(required, archived, deactivated))
class TypedHash(WireHash):
    """The value of a field of type `hash`: a frozen class with one attribute per member.

    Generated modules derive from it. A member that the API did not send is None; a member that the template does not
    have is ignored.
    """

    __members__: ClassVar[dict[str, _Member]]

    def __init_subclass__(cls) -> None:
        members = {name: _Member(said, ValueType.of(kind)) for name, said, kind in declarations_of(cls)}
        for name in members:
            delattr(cls, name)
        cls.__members__ = members
        needed = frozenset(name for name, member in members.items() if member.declaration.required)
        complete(cls, {name: member.type for name, member in members.items()}, needed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def to_wire(self, where: str, *, strict: bool) -> dict[str, Any]:
        """Return the members that have a value, by their keys, as plain JSON.

        Args:
            where: the name of the hash in error messages.
            strict: whether to raise for values that the template does not allow.

        Raises:
            InvalidArgumentError: if a member cannot be written.
        """
        written: dict[str, Any] = {}
        for name, (said, kind) in self.__members__.items():
            value, place = getattr(self, name), f"{where}.{name}"
            if value is not None:
                if strict and said.closed:
                    raise InvalidArgumentError(f"{place} takes no value: the template has {said.closed} it")
                written[said.key] = kind.write(value, place, strict=strict)
            elif strict and said.required:
                raise InvalidArgumentError(f"{place} is required by the template: give a value")
        return written


def _read(value: Any, cls: type[H]) -> H:
    members = members_of(value)
    values = {name: kind.read(members.get(said.key), step(said.key)) for name, (said, kind) in cls.__members__.items()}
    return cls(**values)


def _is_typed_hash(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, TypedHash)


converter.register_structure_hook_func(_is_typed_hash, cast("Any", _read))
