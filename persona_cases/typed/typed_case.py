"""`TypedCase`: the base of the classes that represent case templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self, dataclass_transform

from persona_cases.errors import DecodeError, InvalidArgumentError, NotLoadedError
from persona_cases.models import Case
from persona_cases.models.decoding.jsontext import step
from persona_cases.query import Predicate, Q
from persona_cases.typed.declaring import archived, complete, deactivated, declarations_of, no_such_field, required
from persona_cases.typed.typed_fields import DeclaredField, make_field

__all__ = ["TypedCase", "changes", "creation_fields", "declared_fields", "template_id"]

_FIELDS_POINTER: Final = "/attributes/fields"
_HINT: Final = "run persona-cases codegen --check to see whether the template has changed"


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(required, archived, deactivated))
class TypedCase:
    """The custom fields of a case, typed by the template that the case was created from.

    `persona-cases codegen` writes a subclass for each template. On the class, a field can be compared in searches
    (`KYC.risk_score.gt(90)`); on an object, it is the value (`KYC.of(case).risk_score`). An object is frozen, and
    equals another one with the same values.

    Attributes:
        cases: the clause that finds the cases of the template. It is not added to a search automatically.
    """

    cases: ClassVar[Predicate]
    __template_id__: ClassVar[str]
    __fields__: ClassVar[Mapping[str, DeclaredField]]

    def __init_subclass__(cls, *, template: str) -> None:
        cls.__template_id__ = template
        cls.cases = Q.template.eq(template)
        fields: dict[str, DeclaredField] = {}
        for name, declaration, annotation in declarations_of(cls):
            descriptor, fields[name] = make_field(cls, name, declaration, annotation)
            setattr(cls, name, descriptor)
        cls.__fields__ = fields
        needed = frozenset(name for name, field in fields.items() if field.declaration.required)
        complete(cls, {name: field.value_type for name, field in fields.items()}, needed)

    @classmethod
    def of(cls, case: Case) -> Self:
        """Read the custom fields of a case.

        A field that the case does not have is None; a field that the template does not have is ignored. A field that a
        sparse fieldset left out raises `NotLoadedError` when read. An option that the template does not have is kept.

        Args:
            case: a case of this template.

        Returns:
            The typed fields.

        Raises:
            InvalidArgumentError: if it is a case of another template, or not a case.
            DecodeError: if a value does not have the type that the template declares.
        """
        _check_template(cls, case)
        sent, values, refused = case.fields, dict[str, Any](), None
        for name, field in cls.__fields__.items():
            try:
                values[name] = field.value_type.read(sent.get(field.declaration.key), _pointer(field))
            except NotLoadedError:
                continue
            except DecodeError as error:
                refused = f"{cls.__name__}.{name}: {error.reason} ({_HINT})", error.pointer
                break
        if refused is not None:
            # Raised outside the handler, because a traceback may be shown with the locals of its frames.
            del values
            raise DecodeError(refused[0], pointer=refused[1], case_id=case.id)
        made = object.__new__(cls)
        vars(made).update(values)
        return made

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {len(self.__fields__)} fields>"


def template_id(typed: type[TypedCase]) -> str:
    """Return the id of the case template that a generated class represents.

    Args:
        typed: the generated class.

    Returns:
        The id, `ctmpl_…`.
    """
    return typed.__template_id__


def declared_fields(typed: type[TypedCase]) -> Mapping[str, DeclaredField]:
    """Return the fields of a generated class by Python name."""
    return typed.__fields__


def fields_of(typed: TypedCase) -> dict[str, Any]:
    """Return the values of a typed case by the keys of the template, as plain JSON, without None.

    Args:
        typed: the typed case.

    Returns:
        The values by key.

    Raises:
        NotLoadedError: if a sparse fieldset left a field out.
    """
    written: dict[str, Any] = {}
    for name, field in typed.__fields__.items():
        value = field.value_type.write(getattr(typed, name), name, strict=False)
        if value is not None:
            written[field.declaration.key] = value
    return written


def creation_fields(typed: TypedCase) -> dict[str, Any]:
    """Return the fields to send for a new case.

    Raises:
        InvalidArgumentError: if a required field has no value, a value is not an option, or a field takes no value.
    """
    owner, written = type(typed).__name__, dict[str, Any]()
    values = {name: getattr(typed, name) for name in typed.__fields__}
    missing = [name for name, field in typed.__fields__.items() if field.declaration.required and values[name] is None]
    if missing:
        raise InvalidArgumentError(f"{owner}: the template requires {', '.join(missing)}: give a value")
    for name, field in typed.__fields__.items():
        if values[name] is not None:
            written[field.declaration.key] = _written(owner, name, field, values[name])
    return written


def changes(typed: type[TypedCase], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `fields` to pass to `update`.

    Args:
        typed: the generated class.
        values: new values by Python name; None clears a field.

    Raises:
        InvalidArgumentError: if there is no such field, or the template does not allow the value.
    """
    owner, written = typed.__name__, dict[str, Any]()
    for name, value in values.items():
        field = typed.__fields__.get(name)
        if field is None:
            raise InvalidArgumentError(no_such_field(owner, name, typed.__fields__))
        if value is None:
            _check_clearable(owner, name, field)
        written[field.declaration.key] = _written(owner, name, field, value)
    return written


def _written(owner: str, name: str, field: DeclaredField, value: object) -> Any:
    if field.declaration.closed:
        raise InvalidArgumentError(f"{owner}.{name} takes no value: the template has {field.declaration.closed} it")
    return field.value_type.write(value, f"{owner}.{name}", strict=True)


def _check_clearable(owner: str, name: str, field: DeclaredField) -> None:
    if field.declaration.write_once:
        raise InvalidArgumentError(f"{owner}.{name} cannot be cleared: the template lets it be written only once")
    if field.declaration.required:
        raise InvalidArgumentError(f"{owner}.{name} cannot be cleared: the template requires it")


def _pointer(field: DeclaredField) -> str:
    return f"{_FIELDS_POINTER}{step(field.declaration.key)}"


def _check_template(typed: type[TypedCase], case: object) -> None:
    if not isinstance(case, Case):
        raise InvalidArgumentError(f"{typed.__name__}.of takes a Case, not {type(case).__name__}")
    try:
        found = case.case_template_id
    except NotLoadedError:
        return
    if found is not None and found != typed.__template_id__:
        raise InvalidArgumentError(
            f"{typed.__name__}.of takes cases of the template {typed.__template_id__}, and this case is of another one:"
            f" add {typed.__name__}.cases to the search"
        )
