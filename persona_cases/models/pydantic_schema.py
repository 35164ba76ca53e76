"""Models for pydantic, and so for FastAPI: how they are read and written, and their JSON schema.

Only pydantic calls this file, so pydantic need not be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.decoding.jsontext import is_array, is_object
from persona_cases.models.decoding.records import Attributes, CaseRecord

__all__ = ["attribute_schemas", "case_schema", "pydantic_core_schema", "resource_schema"]

M = TypeVar("M")

_RESOURCE: Final[Mapping[str, Any]] = {
    "type": {"type": "string"},
    "id": {"type": "string"},
    "attributes": {"type": "object"},
    "relationships": {"type": "object"},
}


def pydantic_core_schema(
    cls: type[M], read: Callable[[Mapping[str, Any]], M], write: Callable[[M], dict[str, Any]]
) -> Any:
    """Return the schema with which pydantic accepts instances of a class or JSON objects, and writes JSON objects.

    Args:
        cls: the class.
        read: makes an instance from a JSON object; it may raise `DecodeError`.
        write: makes a JSON object from an instance.
    """
    from pydantic_core import core_schema  # noqa: PLC0415 - pydantic is not one of our dependencies

    def validated(value: object) -> M:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a {cls.__name__} or a JSON object")  # noqa: TRY004 - pydantic's convention
        try:
            return read(cast("Mapping[str, Any]", value))
        except DecodeError as error:
            reason = str(error)
        raise ValueError(reason)

    return core_schema.no_info_plain_validator_function(
        validated,
        serialization=core_schema.plain_serializer_function_ser_schema(write),
        ref=f"{cls.__module__}.{cls.__qualname__}",
    )


@cache
def case_schema() -> dict[str, Any]:
    """Return the JSON schema of a case as `Case.to_dict` writes it."""
    schema = _inlined(msgspec.json.schema(CaseRecord))
    return {**schema, "title": "Case", "description": "A case of Persona's API."}


@cache
def attribute_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each attribute of a case."""
    schemas: dict[str, dict[str, Any]] = _inlined(msgspec.json.schema(Attributes))["properties"]
    return schemas


def resource_schema(cls: type, kind: str | None) -> dict[str, Any]:
    """Return the JSON schema of an object related to a case.

    Args:
        cls: its class.
        kind: its type, or the part of the type before a slash; None for any type.
    """
    about = "An object of Persona's API." if kind is None else f"An object of Persona's API of type {kind!r}."
    return {
        "title": cls.__name__,
        "description": about,
        "type": "object",
        "properties": dict(_RESOURCE),
        "required": ["type", "id"],
    }


def _inlined(document: dict[str, Any]) -> dict[str, Any]:
    """Inline definitions where they are referenced, because an OpenAPI document keeps its own in another place."""
    definitions: dict[str, Any] = document.get("$defs", {})

    def resolved(node: Any) -> Any:
        if is_object(node):
            if "$ref" in node:
                return resolved(definitions[node["$ref"].rpartition("/")[2]])
            # The titles and descriptions are those of private classes. Null is not a default: a missing value may be
            # unknown.
            return {
                key: resolved(value)
                for key, value in node.items()
                if key != "default" and not (key in {"title", "description"} and isinstance(value, str))
            }
        if is_array(node):
            return [resolved(each) for each in node]
        return node

    inlined: dict[str, Any] = resolved({key: value for key, value in document.items() if key != "$defs"})
    return inlined
