"""What the vendor offers and its OpenAPI documents do not say (yet), added in memory before they are used.

Each amendment touches a document only where it has the place that is amended.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["amended"]

_Json = dict[str, Any]


def amended(content: Mapping[str, Any]) -> _Json:
    """A copy of an OpenAPI document with all amendments."""
    document: _Json = copy.deepcopy(dict(content))
    for amend in _AMENDMENTS:
        amend(document)
    return document


def _comments(document: _Json) -> None:
    """`add-comment` is newer than the documents; it answers as its siblings do."""
    paths, sibling, path = document["paths"], "/cases/{case-id}/add-tag", "/cases/{case-id}/add-comment"
    if sibling not in paths or path in paths:
        return
    meta = _closed({"message": {"type": "string", "minLength": 1}}, required=["message"])
    operation = copy.deepcopy(paths[sibling]["post"])
    operation["operationId"] = "add-comment"
    operation["requestBody"] = {"content": {"application/json": {"schema": _closed({"meta": meta}, required=["meta"])}}}
    paths[path] = {"post": operation}


def _versions(document: _Json) -> None:
    """The list of versions lacks two that the documentation has."""
    versions = document.get("components", {}).get("schemas", {}).get("api-version", {}).get("enum")
    if versions is not None:
        versions += [version for version in ("2026-09-29", "2021-05-14") if version not in versions]


def _quota(document: _Json) -> None:
    """Creations tell their quota, if there is one, in headers that the documentation spells in two ways."""
    responses = document["paths"].get("/cases", {}).get("post", {}).get("responses", {})
    for status, response in list(responses.items()):
        if status == "401":
            continue
        own = copy.deepcopy(_resolved(document, response))
        own["headers"] = {
            **{
                f"{prefix}-{name}": {"required": False, "schema": {"type": "integer"}}
                for prefix in ("Quota", "QuotaLimit")
                for name in ("Limit", "Remaining", "Reset")
            },
            **own.get("headers", {}),
        }
        responses[status] = own


def _sources(document: _Json) -> None:
    """A 400 may point to what is wrong, as the documents say of a 422 only."""
    response = document.get("components", {}).get("responses", {}).get("bad-request")
    if response is None:
        return
    errors = response["content"]["application/json"]["schema"]["properties"]["errors"]
    errors["items"]["properties"].setdefault("source", _closed({"pointer": {"type": "string"}}))


def _impossible_defaults(document: _Json) -> None:
    """A default that its own schema refuses keeps some tools from working with the whole document."""
    for schema in _objects(document):
        if schema.get("type") == "string" and "default" in schema and not isinstance(schema["default"], str):
            del schema["default"]


_AMENDMENTS: tuple[Callable[[_Json], None], ...] = (_comments, _versions, _quota, _sources, _impossible_defaults)


def _closed(properties: _Json, required: list[str] | None = None) -> _Json:
    schema: _Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def _resolved(document: _Json, response: _Json) -> _Json:
    if "$ref" not in response:
        return response
    value: Any = document
    for step in response["$ref"].removeprefix("#/").split("/"):
        value = value[step.replace("~1", "/").replace("~0", "~")]
    found: _Json = value
    return found


def _objects(value: Any) -> Iterator[_Json]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)
