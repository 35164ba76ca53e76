"""Conversion of method arguments to query parameters, with checks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from persona_cases import models
from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.checks import text
from persona_cases.protocol.message import QueryPairs

if TYPE_CHECKING:
    from persona_cases.models import Fieldset

_INCLUDED_BY_DEFAULT_BEFORE = "2025-10-27"

Names = Iterable[str]

Relationship: TypeAlias = Literal[
    "accounts",
    "case-comments",
    "case-queue",
    "case-template",
    "comments",
    "inquiries",
    "queue",
    "reports",
    "template",
    "transactions",
    "txns",
    "verifications",
]
Includable: TypeAlias = Relationship | str
"""A value of `include=`: a relationship, the property of `Case` that reads it, or a path like `accounts.inquiries`."""


def filters(arguments: Mapping[str, object]) -> QueryPairs:
    """Return `filter[...]` parameters for the arguments that are not None.

    Args:
        arguments: values by filter name in kebab-case; None means no filter.

    Raises:
        InvalidArgumentError: if a value is not a non-empty string.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in arguments.items():
        if value is None:
            continue
        pairs.append((f"filter[{name}]", text(value, name.replace("-", "_"), example=", or None")))
    return tuple(pairs)


def listed_filters(arguments: Mapping[str, object]) -> QueryPairs:
    """Return `filter[...]` parameters that can have several values each.

    Args:
        arguments: by filter name in kebab-case, one or several values; None means no filter.

    Raises:
        InvalidArgumentError: if a value is not a non-empty string without commas, or there are no values.
    """
    return tuple(
        (f"filter[{name}]", ",".join(_values(value, name.replace("-", "_"))))
        for name, value in arguments.items()
        if value is not None
    )


def _values(value: object, argument: str) -> list[str]:
    one = value.id if isinstance(value, models.Case) else value
    several = [one] if isinstance(one, str) else value
    if isinstance(several, Iterable) and not isinstance(several, bytes):
        several = [each.id if isinstance(each, models.Case) else each for each in cast("Iterable[object]", several)]
    return [text(each, argument) for each in names(several, argument, "a text, or ['...', '...']")]


def fieldset(only: Names | None) -> tuple[QueryPairs, Fieldset | None]:
    """Return the parameter of a sparse fieldset of cases, and the fieldset for the decoder.

    Args:
        only: names of attributes; None for all.

    See https://docs.withpersona.com/response-body.

    Raises:
        InvalidArgumentError: if `only` is a plain string or empty, or has a name that cases do not have.
    """
    if only is None:
        return (), None
    asked = models.Fieldset.of(names(only, "only", "['status', 'fields.priority']"))
    return (("fields[case]", asked.wire()),), asked


def include(relationships: Iterable[Includable] | None, version: str) -> QueryPairs:
    """Return the `include` parameter.

    Versions before 2025-10-27 include many objects by default. This function leaves them out unless requested.

    Args:
        relationships: names of relationships or of the properties of `Case` that read them, with at most one dot.
        version: the `Persona-Version` of the request.

    Raises:
        InvalidArgumentError: if it is a plain string, or a name is not a relationship or goes too deep.
    """
    if relationships is None:
        return (("include", ""),) if version < _INCLUDED_BY_DEFAULT_BEFORE else ()
    from persona_cases.models.loadable_names import related_asked  # noqa: PLC0415 - few calls include objects

    asked = names(relationships, "include", "['case-template', 'accounts']")
    return (("include", ",".join(dict.fromkeys(related_asked(name, "include") for name in asked))),)


def case_path(case: object) -> str:
    """Return the path of a case.

    Args:
        case: a `Case`, or its id.

    Raises:
        InvalidArgumentError: if it is neither.
    """
    return f"/cases/{segment(case.id if isinstance(case, models.Case) else case, 'case')}"


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
