"""Differences between templates and a module that was generated from them, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from persona_cases.codegen.module_facts import FieldFacts, TemplateFacts

__all__ = ["changes_between"]

_OPEN: Final = {"optional", "required"}
_MOST_SHOWN: Final = 20


def changes_between(old: Mapping[str, TemplateFacts], new: Mapping[str, TemplateFacts]) -> list[str]:
    """Return the changes, one sentence each; empty if the old module is up to date.

    Args:
        old: the facts of the module.
        new: the facts of a module generated now.
    """
    return list(_changes(old, new))


def _changes(old: Mapping[str, TemplateFacts], new: Mapping[str, TemplateFacts]) -> Iterator[str]:
    for id, template in new.items():
        if id not in old:
            yield f"{template.class_name}: added, from {id}"
            continue
        before = old[id]
        if before.class_name != template.class_name:
            yield f"{before.class_name}: now called {template.class_name}"
        yield from _of_template(template.class_name, before.fields, template.fields)
    yield from (f"{template.class_name}: removed" for id, template in old.items() if id not in new)


def _of_template(name: str, old: Mapping[str, FieldFacts], new: Mapping[str, FieldFacts]) -> Iterator[str]:
    for key, field in new.items():
        if key not in old:
            said = "" if field.declared == "optional" else f", {field.declared}"
            yield f"{name}.{key}: added ({field.kind}{said})"
        else:
            yield from (f"{name}.{key}: {what}" for what in _of_field(old[key], field))
    yield from (f"{name}.{key}: removed" for key in old if key not in new)


def _of_field(old: FieldFacts, new: FieldFacts) -> Iterator[str]:
    if old.declared != new.declared:
        yield _declared(old.declared, new.declared)
    if old.kind != new.kind:
        yield f"type changed from {old.kind} to {new.kind}"
    else:
        yield from _of_options("added", new.options - old.options)
        yield from _of_options("removed", old.options - new.options)
    if old.write_once != new.write_once:
        yield "now written only once" if new.write_once else "no longer written only once"
    if old.never_redacted != new.never_redacted:
        yield "no longer redacted" if new.never_redacted else "now redacted"
    if old.name != new.name:
        yield f"now called {new.name} in Python"


def _declared(old: str, new: str) -> str:
    if new not in _OPEN:
        return new
    if old not in _OPEN:
        return f"no longer {old}{', and required' if new == 'required' else ''}"
    return "now required" if new == "required" else "no longer required"


def _of_options(what: str, options: frozenset[str]) -> Iterator[str]:
    if not options:
        return
    listed = sorted(options)
    shown = ", ".join(map(repr, listed[:_MOST_SHOWN]))
    more = f" and {len(listed) - _MOST_SHOWN} more" if len(listed) > _MOST_SHOWN else ""
    yield f"option{'s' if len(listed) > 1 else ''} {shown}{more} {what}"
