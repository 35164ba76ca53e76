"""The fields of a case template, as values from which a module can be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import CaseTemplate

__all__ = ["PlannedField", "PlannedTemplate", "PlannedValue", "read_template"]

_DEEPEST: Final = 20
"""Levels of hashes and lists that get classes; deeper levels are JSON."""

_KNOWN: Final = {
    "array",
    "boolean",
    "choices",
    "date",
    "datetime",
    "file",
    "hash",
    "integer",
    "multi_choices",
    "number",
    "relation_schema",
    "string",
}


@attrs.frozen
class PlannedValue:
    """The value of a field or an item of a list.

    Attributes:
        kind: the API's name of the type; `json` for a type that this library does not know.
        options: the options.
        item: the type of the items of a list; None if the template does not say.
        members: the fields of a hash.
        target: the target of a relation.
    """

    kind: str
    options: tuple[str, ...] = ()
    item: PlannedValue | None = None
    members: tuple[PlannedField, ...] = ()
    target: str | None = None


@attrs.frozen
class PlannedField:
    """A field of a template, or a member of a hash.

    Attributes:
        key: its key.
        label: its label, if that says more than the key.
        value: its value.
        required: whether a new case needs a value.
        write_once: whether a value cannot be changed once set.
        never_redacted: whether a redaction keeps the value.
        closed: `archived` or `deactivated`; None if the field takes values.
    """

    key: str
    label: str | None
    value: PlannedValue
    required: bool
    write_once: bool
    never_redacted: bool
    closed: str | None


@attrs.frozen
class PlannedTemplate:
    """A template.

    Attributes:
        id: its id.
        name: its name.
        updated: the day on which it was last changed, if known.
        fields: its fields, in order.
    """

    id: str
    name: str
    updated: str | None
    fields: tuple[PlannedField, ...]


def read_template(template: CaseTemplate) -> PlannedTemplate:
    """Read a template.

    Raises:
        InvalidArgumentError: if it has no id.
    """
    if not template.id:
        raise InvalidArgumentError("a template without an id cannot be generated from")
    changed = template.updated_at or template.created_at
    schemas = (
        {"type": each.type, "key": each.key, "label": each.label, "config": each.config}
        for each in template.field_schemas
    )
    return PlannedTemplate(
        template.id, template.name or template.id, changed.date().isoformat() if changed else None, _fields(schemas, 0)
    )


def _fields(schemas: Iterable[object], depth: int) -> tuple[PlannedField, ...]:
    found: dict[str, PlannedField] = {}
    for schema in schemas:
        field = _field(_object(schema), depth)
        if not field.key:
            # Cases cannot show such a field.
            continue
        # A key may be reused after its field was archived. The field that takes values counts.
        if field.key not in found or found[field.key].closed:
            found[field.key] = field
    return tuple(found.values())


def _field(schema: Mapping[str, Any], depth: int) -> PlannedField:
    config, key, label = _object(schema.get("config")), str(schema.get("key") or ""), schema.get("label")
    closed = "archived" if config.get("archived_at") else "deactivated" if config.get("deactivated_at") else None
    return PlannedField(
        key,
        label if isinstance(label, str) and label else None,
        _value(schema, depth),
        required=config.get("required") is True,
        write_once=config.get("write_policy") == "write_once",
        never_redacted=config.get("redaction_policy") == "never",
        closed=closed,
    )


def _value(schema: Mapping[str, Any], depth: int) -> PlannedValue:
    kind, config = str(schema.get("type")).replace("-", "_"), _object(schema.get("config"))
    kind = "string" if kind == "email_address" else kind if kind in _KNOWN else "json"
    if kind in {"choices", "multi_choices"}:
        return PlannedValue(kind, options=tuple(dict.fromkeys(_texts(config.get("options")))))
    if kind == "relation_schema":
        target = config.get("target")
        return PlannedValue(kind, target=target if isinstance(target, str) and target else None)
    if kind not in {"array", "hash"}:
        return PlannedValue(kind)
    if depth >= _DEEPEST:
        return PlannedValue("json")
    if kind == "array":
        item = config.get("item_schema")
        return PlannedValue(kind, item=_value(_object(item), depth + 1) if _object(item) else None)
    members = config.get("item_schemas")
    listed = cast("list[object]", members) if isinstance(members, list) else []
    return PlannedValue(kind, members=_fields(listed, depth + 1))


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (each for each in cast("list[object]", value) if isinstance(each, str))
