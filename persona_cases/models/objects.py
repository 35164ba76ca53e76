"""The building blocks of the objects related to a case: identifiers, attachments, field schemas, and `Resource`."""

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
    """The target of a relationship.

    Attributes:
        type: the kind of object, such as `inquiry` or `report/watchlist`; new kinds appear without notice.
        id: its id.
    """

    type: str
    id: str


@attrs.frozen
class Attachment:
    """A file attached to a case.

    Attributes:
        filename: the name under which it was uploaded.
        url: the URL to download it from. It contains an access token and expires (after 6 hours by default), so do not
            log it.
        byte_size: its size in bytes.
        case_id: the id of the case that it is attached to; loading the case again gives a new `url`.
        twins_before: how many files of the same name and size come before it in the case.

    See https://docs.withpersona.com/downloading-files.
    """

    filename: str | None = attrs.field(default=None, repr=False)
    url: str | None = attrs.field(default=None, repr=False)
    byte_size: int | None = None
    case_id: str | None = attrs.field(default=None, eq=False)
    twins_before: int = attrs.field(default=0, eq=False, repr=False)


@attrs.frozen
class FieldSchema:
    """A custom field as a case template declares it.

    Attributes:
        type: such as `string`, `choices`, `multi-choices`, `hash`; new types appear without notice.
        key: the key in `Case.fields`.
        label: the name shown to users.
    """

    type: str
    key: str
    label: str | None = None
    _content: bytes = attrs.field(default=b"{}", repr=False, alias="content")

    @property
    def default_value(self) -> Any:
        """The field's value in a new case; None if there is none, or the type has no defaults."""
        return parse_json(self._content).get("default_value")

    @property
    def config(self) -> dict[str, Any]:
        """A copy of the rules for values: `required`, `options`, `write_policy` and others, depending on the type."""
        config: dict[str, Any] | None = parse_json(self._content).get("config")
        return config or {}


@attrs.frozen(repr=False)
class Resource:
    """An object that a response includes: an account, an inquiry, a report, a transaction, or a newer kind.

    Objects are equal if their whole content is.

    Attributes:
        type: the kind of object; new kinds appear without notice.
        id: its id.
    """

    type: str
    id: str
    _content: bytes = attrs.field(alias="content")

    resource_type: ClassVar[str | None] = None

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes in snake_case, as a new dict."""
        attributes: dict[str, Any] | None = parse_json(self._content).get("attributes")
        return attributes or {}

    @property
    def relationships(self) -> dict[str, Any]:
        """All relationships in snake_case, as a new dict."""
        relationships: dict[str, Any] | None = parse_json(self._content).get("relationships")
        return relationships or {}

    @property
    def extras(self) -> dict[str, Any]:
        """The attributes that this class does not know."""
        known = attrs.fields_dict(type(self))
        return {name: value for name, value in self.attributes.items() if name not in known}

    def to_dict(self, inflection: Inflection = "snake") -> dict[str, Any]:
        """Return the object as the API sent it, as a new dict.

        Args:
            inflection: the spelling of its keys.

        Returns:
            The object as plain JSON data.
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
        """Show no more than `repr` does in rich and its tracebacks."""
        if self.resource_type is None:
            yield "type", self.type
        yield "id", self.id


_CLASSES: dict[str | None, type[Resource]] = {}


def register(*classes: type[Resource]) -> None:
    """Register the classes, so that objects of their types are read as instances of them."""
    for cls in classes:
        attrs.resolve_types(cls)
        _CLASSES[cls.resource_type] = cls


def read_resource(value: object, cls: type[R], *, spelling: Inflection | None = None, pointer: str = "") -> R:
    """Read a resource in any spelling.

    Args:
        value: the value that a JSON parser returned.
        cls: the class to make; `Resource` makes the class for the object's own `type`.
        spelling: how the keys are spelled; detected if not given.
        pointer: the value's JSON pointer in its document, for the error.

    Raises:
        DecodeError: if the value is not such a resource.
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
    # The part before the slash is the kind: `report/watchlist` is a report.
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
