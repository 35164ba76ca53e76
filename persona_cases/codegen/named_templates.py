"""The templates to generate from, and their class names: `KYC=ctmpl_...`, and the names in an existing module."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from persona_cases.codegen.module_facts import TemplateFacts
from persona_cases.codegen.python_names import MODULE_RESERVED
from persona_cases.errors import InvalidArgumentError

__all__ = ["NamedTemplate", "chosen_names", "named"]

_HOW: Final = "write NAME=ID, where NAME is a name in Python such as KYC"


@attrs.frozen
class NamedTemplate:
    """A template, by its id or by the path of its JSON.

    Attributes:
        source: the id or the path.
        name: the name for its class; None to use the template's own name.
    """

    source: str
    name: str | None = None


def named(given: str) -> NamedTemplate:
    """Parse `ID` or `NAME=ID`.

    Raises:
        InvalidArgumentError: if the name cannot be the name of a class, or there is no id.
    """
    name, equals, source = given.partition("=")
    if not equals:
        return NamedTemplate(given)
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise InvalidArgumentError(f"the name of a class is not a name in Python: {_HOW}")
    if name in MODULE_RESERVED:
        raise InvalidArgumentError(f"a class cannot be called {name}, which Python or the module uses itself: {_HOW}")
    if not source:
        raise InvalidArgumentError(f"{name}= is followed by nothing: {_HOW}")
    return NamedTemplate(source, name)


def chosen_names(templates: Iterable[tuple[str, str | None]], known: Mapping[str, TemplateFacts]) -> dict[str, str]:
    """Return the chosen or existing names, by template id.

    Args:
        templates: the id of each template, and its chosen name.
        known: the names in the existing module.

    Raises:
        InvalidArgumentError: if a template or a name occurs twice.
    """
    names: dict[str, str] = {}
    seen: set[str] = set()
    for id, given in templates:
        if id in seen:
            raise InvalidArgumentError("a template is given twice: leave one of them out")
        seen.add(id)
        name = given or (known[id].class_name if id in known else None)
        if name is not None:
            names[id] = name
    if len(set(names.values())) < len(names):
        raise InvalidArgumentError("two classes would have the same name: rename one of them, as NAME=ID")
    return names
