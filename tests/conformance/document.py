"""OpenAPI documents, made ready to be checked against: every schema is compiled once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import attrs
from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from conformance.amendments import amended
from conformance.spelling import Spelling

__all__ = ["Document", "Documents", "Header", "Media", "Operation", "Parameter", "Response", "Schema"]

_URI = "urn:conformance:document"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@attrs.frozen
class Schema:
    """A compiled schema, and what it says about the JSON type of a value that was sent as text."""

    validator: Draft202012Validator
    type: Any = None
    members: Mapping[str, Any] = attrs.field(factory=dict)

    def from_text(self, text: str) -> Any:
        return _from_text(text, self.type)

    def from_texts(self, texts: Mapping[str, str]) -> dict[str, Any]:
        return {name: _from_text(text, self.members.get(name)) for name, text in texts.items()}


@attrs.frozen
class Parameter:
    """A declared query or header parameter; `deep` if its members are sent as `name[member]`."""

    name: str
    location: str
    required: bool
    deep: bool
    schema: Schema


Media = Mapping[str, Schema]


@attrs.frozen
class Header:
    """A declared header of an answer. One that may be missing has to say so: the vendor's documents never do."""

    schema: Schema
    required: bool


@attrs.frozen
class Response:
    """A declared answer: its headers by lower-case name, and its schemas by media type."""

    headers: Mapping[str, Header]
    media: Media


@attrs.frozen
class Operation:
    """A method on a path."""

    method: str
    path: str
    secured: bool
    parameters: tuple[Parameter, ...]
    body: Media
    body_required: bool
    responses: Mapping[int, Response]
    _pattern: re.Pattern[str] = attrs.field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def matches_path(self, path: str) -> bool:
        return self._pattern.fullmatch(path) is not None


@attrs.frozen
class _Node:
    """A place in a document; references are followed on the way down."""

    root: Mapping[str, Any]
    pointer: str
    value: Any

    def child(self, name: str) -> _Node | None:
        if not isinstance(self.value, Mapping) or name not in self.value:
            return None
        step = name.replace("~", "~0").replace("/", "~1")
        return _Node(self.root, f"{self.pointer}/{step}", self.value[name])

    def children(self, name: str) -> Iterator[tuple[str, _Node]]:
        """The members of an object or the items of a list, each with its references followed."""
        node = self.child(name)
        if node is None:
            return
        pairs = node.value.items() if isinstance(node.value, Mapping) else enumerate(node.value)
        for key, value in pairs:
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield str(key), _Node(self.root, f"{node.pointer}/{step}", value).followed()

    def followed(self) -> _Node:
        node = self
        while isinstance(node.value, Mapping) and "$ref" in node.value:
            pointer = node.value["$ref"].removeprefix("#")
            value: Any = self.root
            for step in pointer.split("/")[1:]:
                value = value[step.replace("~1", "/").replace("~0", "~")]
            node = _Node(self.root, pointer, value)
        return node

    def get(self, name: str, default: Any = None) -> Any:
        return self.value.get(name, default)


class Document:
    """One OpenAPI 3.1 document.

    Args:
        content: the document.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self._registry = Registry([(_URI, content)], draft=Draft202012)
        self._compiled: dict[str, Schema] = {}
        self.spelling = Spelling(_property_names(content))
        root = _Node(content, "", content)
        # A path without parameters goes before one with them, as OpenAPI demands.
        self.operations = sorted(self._operations(root), key=lambda operation: ("{" in operation.path, operation.path))

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a request is for."""
        for operation in self.operations:
            if operation.matches_path(path):
                same_path = (other for other in self.operations if other.path == operation.path)
                return next((other for other in same_path if other.method == method), None)
        return None

    def _operations(self, root: _Node) -> Iterator[Operation]:
        for path, item in root.children("paths"):
            shared = tuple(node for _, node in item.children("parameters"))
            for method in _METHODS:
                node = item.child(method)
                if node is not None:
                    secured = bool(node.get("security", root.get("security")))
                    yield self._operation(path, method, node, shared, secured=secured)

    def _operation(self, path: str, method: str, node: _Node, shared: tuple[_Node, ...], *, secured: bool) -> Operation:
        stated = [*shared, *(parameter for _, parameter in node.children("parameters"))]
        body = node.child("requestBody")
        body = body.followed() if body else None
        return Operation(
            method=method.upper(),
            path=path,
            secured=secured,
            parameters=tuple(self._parameter(each) for each in stated if each.get("in") in {"query", "header"}),
            body=self._media(body) if body else {},
            body_required=bool(body and body.get("required")),
            responses={int(status): self._response(each) for status, each in node.children("responses")},
            pattern=re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))),
        )

    def _parameter(self, node: _Node) -> Parameter:
        return Parameter(
            name=node.get("name"),
            location=node.get("in"),
            required=bool(node.get("required")),
            deep=node.get("style") == "deepObject",
            schema=self._schema(node),
        )

    def _response(self, node: _Node) -> Response:
        headers = {
            name.lower(): Header(self._schema(header), header.get("required", True) is not False)
            for name, header in node.children("headers")
        }
        return Response(headers, self._media(node))

    def _media(self, node: _Node) -> Media:
        return {name: self._schema(media) for name, media in node.children("content")}

    def _schema(self, holder: _Node) -> Schema:
        node = holder.child("schema")
        if node is None:
            return Schema(Draft202012Validator(True))
        schema = self._compiled.get(node.pointer)
        if schema is None:
            target = node.followed()
            schema = self._compiled[node.pointer] = Schema(
                # Each schema stays where it is, so that its references mean what they mean there.
                Draft202012Validator(
                    {"$ref": f"{_URI}#{quote(node.pointer, safe='/~')}"}, registry=self._registry, validate_formats=True
                ),
                target.get("type"),
                {name: member.get("type") for name, member in target.children("properties")},
            )
        return schema


class Documents:
    """The documents of one API, one for a span of versions each.

    Args:
        by_version: the documents by the last version that each stands for, as a date.
    """

    def __init__(self, by_version: Mapping[str, Document]) -> None:
        self._by_version = dict(sorted(by_version.items()))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one document, or all in a directory, whose names then end with the version: `cases-2025-12-08.json`.

        Raises:
            ValueError: there is nothing to read.
        """
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise ValueError(f"{path}: no OpenAPI document, as JSON, is there")
        return cls({_version_of(file): Document(amended(json.loads(file.read_bytes()))) for file in files})

    @property
    def newest(self) -> Document:
        return self._by_version[max(self._by_version)]

    @property
    def oldest(self) -> Document:
        return self._by_version[min(self._by_version)]

    def for_version(self, version: str | None) -> Document:
        """The oldest document that is not older than this version, for documents change with versions to come."""
        if version is None:
            return self.newest
        return next((document for until, document in self._by_version.items() if version <= until), self.newest)

    def operation_names(self) -> set[str]:
        return {operation.name for document in self._by_version.values() for operation in document.operations}


def _version_of(file: Path) -> str:
    dates = _DATE.findall(file.name)
    return dates[-1] if dates else file.name


def _from_text(text: str, type_: Any) -> Any:
    types = type_ if isinstance(type_, list) else [type_]
    if {"integer", "number"} & set(types) and _NUMBER.fullmatch(text):
        return json.loads(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


def _property_names(content: Any) -> set[str]:
    names: set[str] = set()
    if isinstance(content, list):
        names.update(*map(_property_names, content))
    elif isinstance(content, Mapping):
        properties = content.get("properties")
        if isinstance(properties, Mapping):
            names.update(properties)
        names.update(*map(_property_names, content.values()))
    return names
