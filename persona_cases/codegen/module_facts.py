"""The facts of a generated module, read from its source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from persona_cases.codegen.module_source import MARK
from persona_cases.errors import InvalidArgumentError

__all__ = ["FieldFacts", "TemplateFacts", "is_generated", "module_facts"]

_KINDS: Final[Mapping[str, str]] = {
    "Any": "JSON",
    "BooleanField": "true or false",
    "DateField": "date",
    "DateTimeField": "date and time",
    "FileField": "file",
    "IntegerField": "integer",
    "JsonField": "JSON",
    "NumberField": "number",
    "RelationField": "relation",
    "TextField": "text",
    "bool": "true or false",
    "date": "date",
    "datetime": "date and time",
    "float": "number",
    "int": "integer",
    "str": "text",
}


@attrs.frozen
class FieldFacts:
    """A module's facts about a field.

    Attributes:
        name: its name in Python.
        kind: its type, in words.
        options: its options.
        declared: `optional`, `required`, `archived` or `deactivated`.
        write_once: whether a value cannot be changed once set.
        never_redacted: whether a redaction keeps the value.
    """

    name: str
    kind: str
    options: frozenset[str]
    declared: str
    write_once: bool
    never_redacted: bool


@attrs.frozen
class TemplateFacts:
    """A module's facts about a template.

    Attributes:
        class_name: the name of its class.
        fields: its fields by key; members of a hash by both keys, separated by a dot.
    """

    class_name: str
    fields: Mapping[str, FieldFacts]


def is_generated(source: str) -> bool:
    """Return whether a source is a module that `persona-cases codegen` made."""
    return MARK in source


def module_facts(source: str) -> Mapping[str, TemplateFacts]:
    """Return a module's facts about each template, by the template's id.

    Raises:
        InvalidArgumentError: if the source is not Python.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        module = None
    if module is None:
        raise InvalidArgumentError("the file cannot be read as Python: delete it, and generate it again")
    reader = _Reader(
        {
            node.target.id: _strings(node.value)
            for node in module.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
        },
        {node.name: node for node in module.body if isinstance(node, ast.ClassDef)},
    )
    return dict(reader.templates())


def _strings(node: ast.expr) -> frozenset[str]:
    return frozenset(
        each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


@attrs.frozen
class _Reader:
    aliases: Mapping[str, frozenset[str]]
    classes: Mapping[str, ast.ClassDef]

    def templates(self) -> Iterator[tuple[str, TemplateFacts]]:
        for name, node in self.classes.items():
            for keyword in node.keywords:
                if keyword.arg == "template" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value), TemplateFacts(name, dict(self._fields(node, "")))

    def _fields(self, cls: ast.ClassDef, prefix: str) -> Iterator[tuple[str, FieldFacts]]:
        for node in cls.body:
            match node:
                case ast.AnnAssign(
                    target=ast.Name(id=name),
                    annotation=annotation,
                    value=ast.Call(
                        func=ast.Attribute(attr=declared), args=[ast.Constant(value=str(key))], keywords=keywords
                    ),
                ):
                    kind, options, nested = self._kind(annotation)
                    flags = {keyword.arg for keyword in keywords}
                    yield (
                        prefix + key,
                        FieldFacts(name, kind, options, declared, "write_once" in flags, "never_redacted" in flags),
                    )
                    if nested is not None:
                        yield from self._fields(nested, f"{prefix}{key}.")
                case _:
                    pass

    def _kind(self, node: ast.expr) -> tuple[str, frozenset[str], ast.ClassDef | None]:
        match node:
            case ast.BinOp(left=left):
                # The rest is `| str` of a choice, or `| None`.
                return self._kind(left)
            case ast.Name(id=name) if name in self.aliases:
                return "choice", self.aliases[name], None
            case ast.Name(id=name) if name in self.classes:
                return "hash", frozenset(), self.classes[name]
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return _KINDS.get(name, name), frozenset(), None
            case ast.Subscript(value=ast.Attribute(attr="ChoiceField" | "HashField"), slice=inner):
                return self._kind(inner)
            case ast.Subscript(slice=ast.Tuple(elts=[inner, *_])) | ast.Subscript(slice=inner):
                kind, options, nested = self._kind(inner)
                return f"list ({kind})", options, nested
            case _:
                return ast.unparse(node), frozenset(), None
