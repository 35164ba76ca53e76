"""Arguments of the resources' methods as query parameters: pure and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Fieldset
from persona_cases.protocol.message import QueryPairs

_INCLUDED_BY_DEFAULT_BEFORE = "2025-10-27"
_DEEPEST_INCLUDE = 2

Names = Iterable[str]


def filters(arguments: Mapping[str, object]) -> QueryPairs:
    """Return `filter[...]` parameters for the arguments that were given.

    Args:
        arguments: values by filter name in kebab-case; None stands for "not given".

    Raises:
        InvalidArgumentError: if a value is not a non-empty string.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in arguments.items():
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            raise InvalidArgumentError(f"{name.replace('-', '_')} must be a non-empty string, or None")
        pairs.append((f"filter[{name}]", value))
    return tuple(pairs)


def fieldset(only: Names | None, argument: str = "only") -> tuple[QueryPairs, Fieldset | None]:
    """Return the parameter of a sparse fieldset of cases, and the fieldset for the decoder.

    Args:
        only: names of attributes, None for all.
        argument: how the caller's argument is called, for the message.

    See https://docs.withpersona.com/response-body.

    Raises:
        InvalidArgumentError: if it is a plain string, or empty.
    """
    if only is None:
        return (), None
    asked = Fieldset.of(names(only, argument, "['status', 'fields.priority']"))
    return (("fields[case]", asked.wire()),), asked


def include(relationships: Names | None, version: str) -> QueryPairs:
    """Return the `include` parameter.

    Versions before 2025-10-27 include much by default, which is left out here unless it is asked for.

    Args:
        relationships: names of relationships, in kebab-case or snake_case, with one dot at most.
        version: the `Persona-Version` of the request.

    Raises:
        InvalidArgumentError: if it is a plain string, or a name goes too deep.
    """
    if relationships is None:
        return (("include", ""),) if version < _INCLUDED_BY_DEFAULT_BEFORE else ()
    asked = names(relationships, "include", "['case-template', 'accounts']")
    if any(len(name.split(".")) > _DEEPEST_INCLUDE for name in asked):
        raise InvalidArgumentError("include: a name has one dot at most, such as 'accounts.inquiries'")
    return (("include", ",".join(name.replace("_", "-") for name in asked)),)


def names(values: object, argument: str, example: str) -> list[str]:
    """Check a collection of names.

    Raises:
        InvalidArgumentError: if it is a plain string, is empty, or holds anything but non-empty strings.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{argument} must be a list of names, such as {example}")
    listed = list(cast("Iterable[object]", values))
    if not listed or not all(isinstance(name, str) and name and "," not in name for name in listed):
        raise InvalidArgumentError(f"{argument} must be one or more names without commas, such as {example}")
    return cast("list[str]", listed)
