"""Invented values for the custom fields of a case, with one recipe per type of field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from persona_cases.testing.http.json_types import is_array, is_object
from persona_cases.testing.world import catalog
from persona_cases.testing.world.identifiers import Draw
from persona_cases.testing.world.stored_cases import FieldSpec

__all__ = ["draw_fields", "field_value", "typed_value"]

_UNSET = 0.12
"""The share of empty fields."""

_FIRST_DAY = date(2020, 1, 1)
_DAYS = 2500

_HIGHEST: Mapping[str, int] = {"employees": 900, "merchant_category": 9999}
SENTENCES = (
    "Checked by phone.",
    "Waiting for a reply.",
    "Second opinion wanted.",
    'Customer wrote "later".',
)


def field_value(type_: str, value: Any) -> dict[str, Any]:
    """Return a value as cases hold it; value types are spelled with underscores, schema types with hyphens."""
    return {"type": type_.replace("-", "_"), "value": value}


def typed_value(type_: str, plain: Any) -> dict[str, Any]:
    """Return a plain value, as in requests, in the form that cases hold; the members of a hash are typed too."""
    if type_ == "hash" and is_object(plain):
        return field_value(type_, {key: typed_value(_type_of(part), part) for key, part in plain.items()})
    return field_value(type_, plain)


def _type_of(plain: object) -> str:
    if isinstance(plain, bool):
        return "boolean"
    if isinstance(plain, int):
        return "integer"
    if isinstance(plain, float):
        return "number"
    return "hash" if is_object(plain) else "array" if is_array(plain) else "string"


def draw_fields(specs: tuple[FieldSpec, ...], draw: Draw) -> dict[str, Any]:
    """Return values for all `specs`; some are unset, as `null` of their type."""
    return {
        spec.key: field_value(spec.type, None if draw.chance(_UNSET) else _RECIPES[spec.type](spec, draw))
        for spec in specs
    }


def _integer(spec: FieldSpec, draw: Draw) -> int:
    return draw.below(_HIGHEST.get(spec.key, 100) + 1)


def _number(spec: FieldSpec, draw: Draw) -> float:
    # Cents, so that the shortest text of the number is the same everywhere.
    return draw.below(100 if spec.key == "fraud_score" else 2_000_000) / 100


def _boolean(spec: FieldSpec, draw: Draw) -> bool:
    return draw.chance(0.2)


def _date(spec: FieldSpec, draw: Draw) -> str:
    return (_FIRST_DAY + timedelta(days=draw.below(_DAYS))).isoformat()


def _choices(spec: FieldSpec, draw: Draw) -> str:
    return draw.pick(spec.options)


def _multi_choices(spec: FieldSpec, draw: Draw) -> list[str]:
    return list(draw.some(spec.options, 3))


def _string(spec: FieldSpec, draw: Draw) -> str:
    if spec.key == "website":
        return f"https://{draw.pick(catalog.LAST_NAMES).lower()}.example.com"
    if spec.key == "reason_code":
        return f"10.{draw.between(1, 5)}"
    return draw.pick(SENTENCES)


def _hash(spec: FieldSpec, draw: Draw) -> dict[str, Any]:
    parts = {"city": draw.pick(catalog.CITIES), "postal_code": str(draw.between(10_000, 99_999))}
    if spec.key == "counterparty":
        parts = {"name": draw.pick(catalog.LAST_NAMES), "country_code": draw.pick(("DE", "FR", "US"))}
    return {key: field_value("string", value) for key, value in parts.items()}


_RECIPES: Mapping[str, Callable[[FieldSpec, Draw], Any]] = {
    "boolean": _boolean,
    "choices": _choices,
    "date": _date,
    "hash": _hash,
    "integer": _integer,
    "multi-choices": _multi_choices,
    "number": _number,
    "string": _string,
}
