"""The cells of a table: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from persona_cases.cli.screen.terminal import visible
from persona_cases.models.loadable_names import bare
from persona_cases.name_prefixes import custom_key

__all__ = ["cell"]

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z")


def cell(document: Mapping[str, Any], name: str) -> str:
    """Return the text of a cell.

    Args:
        document: the case as plain JSON in snake_case.
        name: an attribute, a relationship, or a custom field as `fields.<key>`.
    """
    if name == "id":
        return visible(_text(document.get("id")))
    attributes = _object(document.get("attributes"))
    key = custom_key(name)
    if key is not None:
        return visible(_text(_object(attributes.get("fields")).get(key)))
    known = bare(name)
    members = attributes if known in attributes else _object(document.get("relationships"))
    return visible(_text(members.get(known)))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _TIME.sub(r"\1 \2Z", value) if _TIME.fullmatch(value) else value
    if isinstance(value, list):
        return ", ".join(map(_text, cast("list[object]", value)))
    wrapped = _object(value)
    inner = _unwrapped(wrapped)
    return msgspec.json.encode(value).decode() if inner is wrapped else _text(inner)


def _unwrapped(value: Mapping[str, Any]) -> object:
    """Return the value inside a custom field, a relationship or a resource identifier; anything else unchanged."""
    match sorted(value):
        case ["type", "value"]:
            return value["value"]
        case ["data"]:
            return value["data"]
        case ["id", "type"]:
            return value["id"]
        case _:
            return value


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
