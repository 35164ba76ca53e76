"""The source of a generated module."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Final

import attrs

from persona_cases.codegen.python_names import (
    FIELD_RESERVED,
    MEMBER_RESERVED,
    MODULE_RESERVED,
    attribute_names,
    class_name,
    unique,
)
from persona_cases.codegen.python_text import WIDTH, docstring, exploded, quoted, skipping
from persona_cases.codegen.template_reading import PlannedField, PlannedTemplate, PlannedValue

__all__ = ["MARK", "class_names", "module_source"]

MARK: Final = "Made by `persona-cases codegen`"
"""The text in its docstring that identifies a generated module."""

_PLAIN: Final[Mapping[str, str]] = {
    "boolean": "bool",
    "date": "dt.date",
    "datetime": "dt.datetime",
    "integer": "int",
    "number": "float",
    "string": "str",
}
_FIELDS: Final[Mapping[str, str]] = {
    "boolean": "BooleanField",
    "date": "DateField",
    "datetime": "DateTimeField",
    "file": "FileField",
    "integer": "IntegerField",
    "json": "JsonField",
    "number": "NumberField",
    "relation_schema": "RelationField",
    "string": "TextField",
}


def class_names(templates: Sequence[PlannedTemplate], chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Return the name of the class of each template, by the template's id.

    Args:
        templates: the templates, each once.
        chosen: the chosen names, by template id.
    """
    taken = {chosen[each.id] for each in templates if each.id in chosen}
    names: dict[str, str] = {}
    for template in templates:
        names[template.id] = chosen.get(template.id) or unique(class_name(template.name), taken)
        taken.add(names[template.id])
    return names


def module_source(templates: Sequence[PlannedTemplate], names: Mapping[str, str]) -> str:
    """Return the source of a module with a class for each template.

    Args:
        templates: the templates, at least one.
        names: the names of their classes, by template id.
    """
    writer = _ModuleWriter(taken={*MODULE_RESERVED, *_names_in_use(templates, names)})
    body = "\n\n\n".join(block for each in templates for block in writer.template(each, names[each.id]))
    gap = "\n\n" if body.startswith("class ") else "\n"
    return f"{_header(templates)}\n{_imports(body)}{gap}{body}\n"


def _names_in_use(templates: Iterable[PlannedTemplate], names: Mapping[str, str]) -> Iterator[str]:
    for template in templates:
        name = names[template.id]
        yield from (name, f"{name}Changes", *_attributes_of(template, name).values())
        yield from _member_names(template.fields)


def _member_names(fields: Iterable[PlannedField]) -> Iterator[str]:
    for field in fields:
        value: PlannedValue | None = field.value
        while value is not None:
            yield from attribute_names((member.key for member in value.members), MEMBER_RESERVED).values()
            yield from _member_names(value.members)
            value = value.item


def _attributes_of(template: PlannedTemplate, name: str) -> Mapping[str, str]:
    return attribute_names((field.key for field in template.fields), FIELD_RESERVED | {f"{name}Changes"})


def _header(templates: Sequence[PlannedTemplate]) -> str:
    titles = ", ".join(docstring(each.name) for each in templates)
    made = [
        f"{each.id} ({docstring(each.name)}{f', changed on {each.updated}' if each.updated else ''})"
        for each in templates
    ]
    note = "Do not edit it: run the command again, which finds the templates in this file."
    sentence = f"{MARK} from {', '.join(map(docstring, made))}. {note}"
    title = f'"""Case templates as classes: {titles}.'
    lines = [*wrap(title, WIDTH, break_long_words=False), "", *wrap(sentence, WIDTH, break_long_words=False), '"""', ""]
    return "\n".join(lines)


def _imports(body: str) -> str:
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    lines = ["import datetime as dt"] if "dt" in used else []
    lines += ["from collections.abc import Sequence"] if "Sequence" in used else []
    typing = [name for name in ("Any", "Literal", "TypeAlias", "TypedDict", "Unpack") if name in used]
    return "\n".join([*lines, f"from typing import {', '.join(typing)}", "", "from persona_cases import typed", ""])


@attrs.define
class _ModuleWriter:
    """Writes the classes of templates.

    Attributes:
        taken: names that the module already uses.
        blocks: definitions that the current class needs before it.
    """

    taken: set[str]
    blocks: list[str] = attrs.field(factory=list[str])

    def template(self, template: PlannedTemplate, name: str) -> Iterator[str]:
        attributes = _attributes_of(template, name)
        self.blocks, lines, changes = [], list[str](), list[str]()
        for field in template.fields:
            attribute = attributes[field.key]
            owned = _Names(self, field.value, name + class_name(attribute), field.key)
            lines += _field_lines(field, attribute, owned.field())
            if not field.closed:
                kind = owned.written()
                clearable = not (field.required or field.write_once or kind == "Any")
                changes.append(skipping(f"    {attribute}: {kind}{' | None' if clearable else ''}"))
        yield from self.blocks
        note = f"New values of fields of `{name}`. None clears a field."
        yield "\n".join(
            [
                exploded(f"class {name}Changes(", ["TypedDict", "total=False"], "):"),
                f'    """{note}"""',
                *_body(changes),
            ]
        )
        yield "\n".join(
            [
                exploded(f"class {name}(", ["typed.TypedCase", f"template={quoted(template.id)}"], "):"),
                f'    """The fields of a case of {docstring(template.name)}."""',
                *_body(lines),
                "",
                "    @classmethod",
                exploded("def changes(", ["cls", f"**values: Unpack[{name}Changes]"], ") -> dict[str, Any]:", indent=4),
                '        """Return new values of fields, to be given to `update`."""',
                "        return typed.changes(cls, values)",
            ]
        )

    def alias(self, options: Sequence[str], name: str) -> str:
        """Write the alias of a choice, and return its name."""
        name = self._named(name)
        self.blocks.append(_literal(name, options))
        return name

    def hash(self, members: Sequence[PlannedField], name: str, key: str) -> str:
        """Write the class of a hash, and return its name."""
        name = self._named(name)
        attributes, lines = attribute_names((each.key for each in members), MEMBER_RESERVED), list[str]()
        for member in members:
            attribute = attributes[member.key]
            kind = _Names(self, member.value, name + class_name(attribute), member.key).read()
            lines += _field_lines(member, attribute, kind if kind == "Any" else f"{kind} | None")
        title = exploded(f"class {name}(", ["typed.TypedHash"], "):")
        self.blocks.append("\n".join([title, f'    """The value of the hash `{docstring(key)}`."""', *_body(lines)]))
        return name

    def _named(self, name: str) -> str:
        name = unique(name, self.taken)
        self.taken.add(name)
        return name


class _Names:
    """The annotations of one type: as a field, for reading, and for writing."""

    def __init__(self, writer: _ModuleWriter, value: PlannedValue, name: str, key: str) -> None:
        self._value = value
        self._item = _Names(writer, value.item, f"{name}Item", key) if value.item else None
        self._name = ""
        if value.options:
            self._name = writer.alias(value.options, name)
        elif value.members:
            self._name = writer.hash(value.members, name, key)

    def field(self) -> str:
        match self._value.kind:
            case "choices" if self._name:
                return f"typed.ChoiceField[{self._name}]"
            case "choices":
                return "typed.TextField"
            case "multi_choices":
                return f"typed.MultiChoiceField[{self._name or 'str'}]"
            case "array":
                return f"typed.ArrayField[{self._item.read() if self._item else 'Any'}]"
            case "hash":
                return f"typed.HashField[{self._name}]" if self._name else "typed.JsonField"
            case kind:
                return f"typed.{_FIELDS[kind]}"

    def read(self) -> str:
        word = f"{self._name} | str" if self._name else "str"
        match self._value.kind:
            case "choices":
                return word
            case "multi_choices":
                return f"tuple[{word}, ...]"
            case "array":
                return f"tuple[{self._item.read() if self._item else 'Any'}, ...]"
            case "hash":
                return self._name or "Any"
            case kind:
                return _PLAIN.get(kind, "Any")

    def written(self) -> str:
        match self._value.kind:
            case "choices":
                return self._name or "str"
            case "multi_choices":
                return f"Sequence[{self._name or 'str'}]"
            case "array":
                return f"Sequence[{self._item.read() if self._item else 'Any'}]"
            case _:
                return self.read()


def _literal(name: str, options: Sequence[str]) -> str:
    words = [quoted(option) for option in options]
    if len(words) == 1:
        # A trailing comma would make it a tuple, which a formatter joins.
        return skipping(f"{name}: TypeAlias = Literal[{words[0]}]")
    return exploded(f"{name}: TypeAlias = Literal[", words, "]")


def _field_lines(field: PlannedField, name: str, annotation: str) -> Iterator[str]:
    arguments = [quoted(field.key)]
    arguments += ["write_once=True"] if field.write_once else []
    arguments += ["never_redacted=True"] if field.never_redacted else []
    declared = field.closed or ("required" if field.required else "optional")
    yield exploded(f"{name}: {annotation} = typed.{declared}(", arguments, ")", indent=4)
    if said := docstring(_said(field)):
        yield skipping(f'    """{said}"""')


def _said(field: PlannedField) -> str:
    """Return the part of the label that says more than the key."""
    label = field.label or ""
    same = "".join(filter(str.isalnum, label)).lower() == "".join(filter(str.isalnum, field.key)).lower()
    parts = ["" if same else label, f"points to {field.value.target}" if field.value.target else ""]
    return ", ".join(part for part in parts if part)


def _body(lines: Sequence[str]) -> list[str]:
    return ["", *lines] if lines else []
