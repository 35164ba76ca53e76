"""`make_case`: makes a case for tests that need no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, ParamSpec, Protocol, cast, overload

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Case
from persona_cases.models.decoding.records import Attributes
from persona_cases.surface import publish
from persona_cases.teaching import shortened, suggestion
from persona_cases.testing.world.factory import DEFAULT_EPOCH
from persona_cases.testing.world.field_values import field_value
from persona_cases.testing.world.stored_cases import timestamp
from persona_cases.typed import TypedCase, template_id
from persona_cases.typed.declaring import no_such_field
from persona_cases.typed.typed_case import declared_fields

__all__ = ["make_case"]

P = ParamSpec("P")

_ID: Final = "case_1"
_TEMPLATE: Final = "ctmpl_1"
_NAMES: Final = frozenset(field.name for field in msgspec.structs.fields(Attributes)) - {"fields", "attachments"}


class Fillable(Protocol[P]):
    """The interface of a generated class, whose `changes` lists its fields."""

    def changes(self, *args: P.args, **values: P.kwargs) -> dict[str, Any]:
        """Return new values of fields."""
        ...


@overload
def make_case(
    typed: TypedCase | None = None,
    /,
    *,
    id: str = _ID,
    case_template_id: str = _TEMPLATE,
    case_queue_id: str | None = None,
    fields: Mapping[str, Any] | None = None,
    status: str = "open",
    tags: Iterable[str] = (),
    created_at: datetime = DEFAULT_EPOCH,
    **attributes: Any,
) -> Case: ...
@overload
def make_case(typed: Fillable[P], /, *args: P.args, **values: P.kwargs) -> Case: ...
def make_case(typed: Any = None, /, *args: Any, **given: Any) -> Case:
    """Make a case without a server, for tests of your own functions.

    Pass a generated class and values of its fields, `make_case(KYC, risk_score=95)`; all other fields are unset. To set
    attributes of the case too, pass an object, `make_case(KYC(risk_score=95), status="approved")`, or no class,
    `make_case(status="open", fields={"priority": "high"})`. Unlike `create`, it accepts everything that a case can
    hold: options that the template no longer has, and required fields without a value.

    Args:
        typed: a generated class, or an object of one.
        args: not used; values are passed by name.
        given: for a class, values of fields by Python name. Otherwise attributes of the case, by their names in `Case`:
            `id`, `status`, `tags`, `created_at`, ..., `case_template_id`, `case_queue_id`, and `fields`, a mapping of
            plain values by the keys of the template.

    Returns:
        The case, as `Case.from_dict` reads it.

    Raises:
        InvalidArgumentError: if there is no such field or attribute, or a value has the wrong type.
    """
    if args:
        raise InvalidArgumentError("make_case takes values by name, such as make_case(KYC, risk_score=95)")
    if isinstance(typed, type) and issubclass(typed, TypedCase):
        return _case(template_id(typed), _typed_fields(typed, given), {})
    if typed is not None and not isinstance(typed, TypedCase):
        raise InvalidArgumentError("make_case takes a class that persona-cases codegen wrote, or an object of one")
    fields = given.pop("fields", None)
    if typed is None:
        return _case(given.pop("case_template_id", _TEMPLATE), _plain_fields(fields), given)
    for name in ("fields", "case_template_id"):
        if fields is not None or name in given:
            raise InvalidArgumentError(f"{name}: the typed case has it already: leave this out")
    values = {name: getattr(typed, name) for name in declared_fields(type(typed))}
    return _case(template_id(type(typed)), _typed_fields(type(typed), values), given)


def _typed_fields(typed: type[TypedCase], values: Mapping[str, Any]) -> dict[str, Any]:
    declared = declared_fields(typed)
    for name in values:
        if name not in declared:
            raise InvalidArgumentError(no_such_field(typed.__name__, name, declared))
    return {
        field.declaration.key: field_value(
            field.word, field.value_type.write(values.get(name), f"{typed.__name__}.{name}", strict=False)
        )
        for name, field in declared.items()
    }


def _plain_fields(fields: object) -> dict[str, Any]:
    if fields is not None and not isinstance(fields, Mapping):
        raise InvalidArgumentError("fields must be a mapping from field keys to values, such as {'priority': 'high'}")
    listed = cast("Mapping[str, object]", fields or {})
    return {key: _json(value) for key, value in listed.items()}


def _case(template: object, fields: Mapping[str, Any], given: dict[str, Any]) -> Case:
    identifier, queue = given.pop("id", _ID), given.pop("case_queue_id", None)
    for name in given:
        if name not in _NAMES:
            known = (*_NAMES, "id", "case_template_id", "case_queue_id", "fields")
            raise InvalidArgumentError(f"a case has no attribute {shortened(name)!r} to set{suggestion(name, known)}")
    attributes = {"status": "open", "tags": (), "created_at": DEFAULT_EPOCH, **given}
    return Case.from_dict(
        {
            "type": "case",
            "id": identifier,
            "attributes": {**{name: _json(value) for name, value in attributes.items()}, "fields": dict(fields)},
            "relationships": {
                "case_template": {"data": {"type": "case-template", "id": template}},
                "case_queue": {"data": None if queue is None else {"type": "case-queue", "id": queue}},
            },
        }
    )


def _json(value: object) -> object:
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case tuple() | set() | frozenset():
            return list(cast("Iterable[object]", value))
        case _:
            return value


publish("persona_cases.testing", make_case)
