"""Declared types of custom fields, which are known before any case is read."""

from __future__ import annotations

from typing import Final

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.column import Column
from persona_cases.export.columns.types import JSON, NOTHING, TEXT, TEXTS, ColumnKind, ColumnType
from persona_cases.models import CaseTemplate
from persona_cases.name_prefixes import CUSTOM
from persona_cases.protocol.checks import flag
from persona_cases.surface import publish
from persona_cases.typed.typed_case import TypedCase, declared_fields

__all__ = ["columns_from", "columns_of", "declared_type"]

_DECLARED: Final[dict[str, ColumnType]] = {
    "array": ColumnType(ColumnKind.NOTHING, many=True),
    "boolean": ColumnType(ColumnKind.BOOLEAN),
    "choices": TEXT,
    "date": ColumnType(ColumnKind.DATE),
    "datetime": ColumnType(ColumnKind.TIME),
    "email_address": TEXT,
    "file": JSON,
    "hash": JSON,
    "integer": ColumnType(ColumnKind.INTEGER),
    "json": JSON,
    "multi_choices": TEXTS,
    "number": ColumnType(ColumnKind.NUMBER),
    "relation_schema": JSON,
    "string": TEXT,
}


def columns_from(template: CaseTemplate, *, settled: bool = False) -> tuple[Column, ...]:
    """Return the columns of the custom fields that a case template declares.

    Pass them to `export`, so that each field has its column with the same type, whatever the cases hold. A value that
    does not fit the template widens the type of the column. Values are never changed.

    Args:
        template: the template, as `case_templates.get` returns it.
        settled: whether to write as JSON what the template leaves open, which are the items of arrays and types that
            this library does not know. Otherwise these columns take their types from the cases, so that the parts of
            one dataset may differ.

    Raises:
        InvalidArgumentError: if `template` is not a template.
    """
    _check_template(template)
    flag(settled, "settled")
    columns = (Column(CUSTOM + each.key, declared_type(each.type)) for each in template.field_schemas)
    return tuple(attrs.evolve(each, type=JSON) if settled and _is_open(each.type) else each for each in columns)


def columns_of(typed: type[TypedCase]) -> tuple[Column, ...]:
    """Return the columns of the custom fields of a generated class: settled, whatever the cases at hand hold.

    Args:
        typed: the class.
    """
    types = ((field.name, declared_type(field.word)) for field in declared_fields(typed).values())
    return tuple(Column(name, JSON if _is_open(kind) else kind) for name, kind in types)


def _check_template(value: object) -> None:
    if not isinstance(value, CaseTemplate):
        raise InvalidArgumentError("template must be a CaseTemplate, as case_templates.get returns it")


def declared_type(word: str) -> ColumnType:
    """Return the type for a type name of the API, spelled `multi_choices` in cases and `multi-choices` in templates."""
    return _DECLARED.get(word.replace("-", "_"), NOTHING)


def _is_open(type: ColumnType) -> bool:
    return type.kind is ColumnKind.NOTHING


publish("persona_cases.export", columns_from)
