"""A small document of an API that nobody has, for the tests of the checks themselves."""

from __future__ import annotations

from typing import Any

from conformance.document import Document

__all__ = ["library", "library_document"]

_SHELVED = {"oneOf": [{"$ref": "#/components/schemas/hall"}, {"$ref": "#/components/schemas/cellar"}]}


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _place(kind: str, **properties: Any) -> dict[str, Any]:
    return _closed({"type": {"const": kind}, **properties}, "type")


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def library() -> dict[str, Any]:
    """The document, new with each call."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Library", "version": "1"},
        "security": [{"key": []}],
        "paths": {
            "/books": {
                "parameters": [{"$ref": "#/components/parameters/edition"}],
                "get": {
                    "parameters": [
                        {
                            "in": "query",
                            "name": "page",
                            "style": "deepObject",
                            "schema": _closed(
                                {"size": {"type": "integer", "maximum": 9}, "from-id": {"type": "string"}}
                            ),
                        },
                        {"in": "query", "name": "sorted", "schema": {"type": "boolean"}},
                        {"in": "query", "name": "hall", "required": True, "schema": {"type": "string"}},
                    ],
                    "responses": {"200": {"$ref": "#/components/responses/books"}, "401": _json(_closed({}))},
                },
                "post": {
                    "requestBody": {"required": True, **_json({"$ref": "#/components/schemas/book"})},
                    "responses": {"201": _json({"$ref": "#/components/schemas/book"})},
                },
            },
            "/books/{book-id}": {
                "delete": {"security": [], "responses": {"200": _json({"type": "object"})}},
            },
            "/books/lost": {"get": {"responses": {"200": _json({"type": "object"})}}},
        },
        "components": {
            "parameters": {
                "edition": {"in": "header", "name": "Edition", "schema": {"enum": ["first", "second"]}},
            },
            "responses": {
                "books": {
                    "headers": {
                        "Books-Left": {"$ref": "#/components/headers/left"},
                        "Books-Lent": {"required": False, "schema": {"type": "integer"}},
                    },
                    **_json({"type": "array", "items": {"$ref": "#/components/schemas/book"}}),
                },
            },
            "headers": {"left": {"schema": {"type": "integer"}}},
            "schemas": {
                "book": _closed(
                    {
                        "title": {"type": "string", "minLength": 1},
                        "first-page": {"type": "integer"},
                        "printed-at": {"type": "string", "format": "date-time"},
                        "fields": {"type": "object"},
                        "shelved": _SHELVED,
                    },
                    "title",
                ),
                "hall": _place("hall", row={"type": "integer"}),
                "cellar": _place("cellar", box={"type": "string"}),
            },
        },
    }


def library_document() -> Document:
    return Document(library())
