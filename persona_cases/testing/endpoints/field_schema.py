"""The custom fields of a request, checked against the schemas of the case's template.

Requests carry plain values, cases `{type, value}`. See https://docs.withpersona.com/api-reference/cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from persona_cases.testing.http.inflection import to_snake
from persona_cases.testing.http.json_types import is_array, is_object
from persona_cases.testing.http.problems import record_invalid
from persona_cases.testing.http.request_bodies import Node
from persona_cases.testing.world.stored_cases import FieldSpec, Template

__all__ = ["plain_values"]

_DEEPEST = 20
"""Maximum levels of arrays and objects in a value, which protects the stack."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def plain_values(template: Template, given: Mapping[str, Node], *, any_spelling: bool) -> dict[str, Any]:
    """Return the values of a request by the keys of the template; null clears a field.

    Args:
        template: the template.
        given: values by key, as sent.
        any_spelling: whether keys may be inflected, as in versions before 2025-10-27.

    Raises:
        AnsweredError: 422 for the first field that the template does not have, or whose value does not fit.
    """
    specs = {spec.key: spec for spec in template.fields}
    if any_spelling:
        specs |= {to_snake(spec.key): spec for spec in template.fields}
    values: dict[str, Any] = {}
    for key, node in given.items():
        spec = specs.get(key) or (specs.get(to_snake(key)) if any_spelling else None)
        if spec is None:
            raise record_invalid(f"{key} is not a field of this case template", node.pointer)
        _check(spec, node)
        values[spec.key] = node.value
    return values


def _check(spec: FieldSpec, node: Node) -> None:
    value = node.value
    if value is None:
        return
    wanted, fits = _RULES.get(spec.type, _ANYTHING)
    if not fits(value) or _is_deeper(value, _DEEPEST):
        raise record_invalid(f"{spec.key} must be {wanted}", node.pointer)
    chosen = value if is_array(value) else [value]
    if spec.options and any(item not in spec.options for item in chosen):
        raise record_invalid(f"{spec.key} must be among {', '.join(spec.options)}", node.pointer)


def _is_deeper(value: Any, levels: int) -> bool:
    if is_object(value):
        return levels == 0 or any(_is_deeper(part, levels - 1) for part in value.values())
    if is_array(value):
        return levels == 0 or any(_is_deeper(part, levels - 1) for part in value)
    return False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return is_array(value) and all(isinstance(item, str) for item in value)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None and _reads(date.fromisoformat, value)


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and not _is_date(value) and _reads(datetime.fromisoformat, value)


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


_ANYTHING: tuple[str, Callable[[object], bool]] = (f"nested at most {_DEEPEST} levels deep", lambda _: True)
_RULES: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "array": ("an array", is_array),
    "boolean": ("a boolean", _is_boolean),
    "choices": ("a string", _is_text),
    "date": ("a date such as 2026-01-31", _is_date),
    "datetime": ("a time such as 2026-01-31T09:30:00Z", _is_moment),
    "email-address": ("a string", _is_text),
    "hash": ("an object", is_object),
    "integer": ("an integer", _is_integer),
    "multi-choices": ("an array of strings", _is_texts),
    "number": ("a number", _is_number),
    "string": ("a string", _is_text),
}
