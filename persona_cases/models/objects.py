"""What the objects around a case are made of: identifiers, attachments, field schemas, and `Resource`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar, cast

import attrs

from persona_cases.errors import DecodeError
from persona_cases.models.decoding.converter import converter, structure
from persona_cases.models.decoding.jsontext import encode_json, parse_json, plain_json, step
from persona_cases.models.decoding.key_inflection import (
    Inflection,
    check_inflection,
    respell_pointer,
    respell_resource,
    spelling_of,
)
from persona_cases.models.pydantic_schema import pydantic_core_schema, resource_schema
from persona_cases.surface import publish

__all__ = [
    "Attachment",
    "FieldSchema",
    "Resource",
    "ResourceIdentifier",
    "read_resource",
    "register",
]

R = TypeVar("R", bound="Resource")


@attrs.frozen
class ResourceIdentifier:
    """What a relationship points to.

    Attributes:
        type: the kind of object, such as `inquiry` or `report/watchlist`; new kinds appear unannounced.
        id: its id.
    """

    type: str
    id: str


@attrs.frozen
class Attachment:
    """A file attached to a case.

    Attributes:
        filename: the name that it was uploaded with.
        url: where to download it. It carries its own access token and expires (6 hours by default): do not log it.
        byte_size: its size in bytes.
        case_id: the case that it is attached to, which can be asked for a fresh `url`.
        twins_before: how many files of the same name and size the case lists before it.

    See https://docs.withpersona.com/downloading-files.
    """

    filename: str | None = attrs.field(default=None, repr=False)
    url: str | None = attrs.field(default=None, repr=False)
    byte_size: int | None = None
    case_id: str | None = attrs.field(default=None, eq=False)
    twins_before: int = attrs.field(default=0, eq=False, repr=False)


@attrs.frozen
class FieldSchema:
    """One custom field as a case template declares it.

    Attributes:
        type: such as `string`, `choices`, `multi-choices`, `hash`; new types appear unannounced.
        key: the key in `Case.fields`.
        label: the name shown to people.
    """

    type: str
    key: str
    label: str | None = None
    _content: bytes = attrs.field(default=b"{}", repr=False, alias="content")

    @property
    def default_value(self) -> Any:
        """The value of a new case's field; None if there is none, or the type knows no defaults."""
        return parse_json(self._content).get("default_value")

    @property
    def config(self) -> dict[str, Any]:
        """The rules for values: `required`, `options`, `write_policy` and what else the type knows; a copy."""
        config: dict[str, Any] | None = parse_json(self._content).get("config")
        return config or {}


@attrs.frozen(repr=False)
class Resource:
    """Any object that an answer includes: an account, an inquiry, a report, a transaction, or something newer.

    Objects are equal if their whole content is.

    Attributes:
        type: the kind of object; new kinds appear unannounced.
        id: its id.
    """

    type: str
    id: str
    _content: bytes = attrs.field(alias="content")

    resource_type: ClassVar[str | None] = None

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes in snake_case, as a fresh dict."""
        attributes: dict[str, Any] | None = parse_json(self._content).get("attributes")
        return attributes or {}

    @property
    def relationships(self) -> dict[str, Any]:
        """All relationships in snake_case, as a fresh dict."""
        relationships: dict[str, Any] | None = parse_json(self._content).get("relationships")
        return relationships or {}

    @property
    def extras(self) -> dict[str, Any]:
        """The attributes that this class has no name for."""
        known = attrs.fields_dict(type(self))
        return {name: value for name, value in self.attributes.items() if name not in known}

    def to_dict(self, inflection: Inflection = "snake") -> dict[str, Any]:
        """The object as the API sent it, as a fresh dict.

        Args:
            inflection: the spelling of its keys.
        """
        sent: dict[str, Any] = parse_json(self._content)
        return respell_resource(sent, "snake", check_inflection(inflection))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return pydantic_core_schema(cls, lambda sent: read_resource(sent, cls), cls.to_dict)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return resource_schema(cls, cls.resource_type)

    def __repr__(self) -> str:
        shown = f"type={self.type!r}, " if self.resource_type is None else ""
        return f"{type(self).__name__}({shown}id={self.id!r})"

    def __rich_repr__(self) -> Iterator[tuple[str, str]]:
        """Show in rich, and so in its tracebacks, no more than `repr` does."""
        if self.resource_type is None:
            yield "type", self.type
        yield "id", self.id


_CLASSES: dict[str | None, type[Resource]] = {}


def register(*classes: type[Resource]) -> None:
    """Let objects of these classes' types be read as such."""
    for cls in classes:
        attrs.resolve_types(cls)
        _CLASSES[cls.resource_type] = cls


def read_resource(value: object, cls: type[R], *, spelling: Inflection | None = None, pointer: str = "") -> R:
    """Read a resource in any spelling.

    Args:
        value: what a JSON parser returned.
        cls: the class to make; `Resource` makes the class of the object's own `type`.
        spelling: how the keys are spelled; found out if not given.
        pointer: where the value stands in its document, for the error.

    Raises:
        DecodeError: the value is no such resource.
    """
    spelling = spelling or spelling_of(value)
    try:
        return structure(respell_resource(value, spelling, "snake"), cls)
    except DecodeError as error:
        reason, path = error.reason, respell_pointer(error.pointer, spelling)
    raise DecodeError(reason, pointer=pointer + path)


@attrs.frozen
class _Envelope:
    type: str
    id: str
    attributes: dict[str, Any] | None = None
    relationships: dict[str, Any] | None = None


def _structure_resource(value: Any, cls: type[R]) -> R:
    sent = plain_json(value)
    envelope = structure(sent, _Envelope)
    # What stands before the slash is the kind: `report/watchlist` is a report.
    kind = envelope.type.partition("/")[0]
    if cls.resource_type not in {None, kind}:
        raise DecodeError(f"expected {cls.resource_type!r}, got another string", pointer=step("type"))
    made = cast("type[R]", _CLASSES.get(kind, cls)) if cls is Resource else cls
    own = [field for field in attrs.fields(made) if field.name not in attrs.fields_dict(Resource)]
    given = {name: each for name, each in (envelope.attributes or {}).items() if each is not None}
    typed = {
        field.name: structure(given[field.name], cast("type[Any]", field.type), pointer=f"/attributes/{field.name}")
        for field in own
        if field.name in given
    }
    return made(type=envelope.type, id=envelope.id, content=encode_json(sent, canonical=True), **typed)


@attrs.frozen
class _FieldSchemaEnvelope:
    type: str
    key: str
    label: str | None = None
    config: dict[str, Any] | None = None


def _structure_field_schema(value: Any, _: Any) -> FieldSchema:
    sent = structure(value, _FieldSchemaEnvelope)
    return FieldSchema(sent.type, sent.key, sent.label, encode_json(value, canonical=True))


def _is_resource(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Resource)


def _unstructure_resource(resource: Resource) -> dict[str, Any]:
    return resource.to_dict()


converter.register_structure_hook(FieldSchema, _structure_field_schema)
converter.register_structure_hook_func(_is_resource, _structure_resource)
converter.register_unstructure_hook_func(_is_resource, _unstructure_resource)


publish("persona_cases", Attachment)
publish("persona_cases.models", FieldSchema, Resource, ResourceIdentifier)
