"""Conversion of options to queries, sort orders and names."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from functools import reduce
from typing import Any, Final

import attrs

from persona_cases.cli.options.given import given_bytes, json_document
from persona_cases.cli.options.option_groups import Filters, Paging, Selection
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError, QueryError
from persona_cases.models import Case
from persona_cases.models.loadable_names import attribute_asked, related_asked
from persona_cases.paging import Pager
from persona_cases.query import Predicate, Sort, parse

__all__ = ["attributes", "expression", "listing", "predicate", "relationships", "searching", "sort_order"]

_QUERY_JSON: Final = "--query-json"


def searching(selection: Selection, paging: Paging, persona: PersonaClient, only: list[str] | None) -> Pager[Case]:
    """Return the search that the options describe.

    Raises:
        InvalidArgumentError: if an option is invalid.
        QueryError: if the query or the sort order is invalid.
    """
    pager = persona.cases.search(predicate(selection), sort=sort_order(selection), only=only, **_steps(paging))
    return pager if paging.limit is None else pager.limit(paging.limit)


def listing(filters: Filters, paging: Paging, persona: PersonaClient, only: list[str] | None) -> Pager[Case]:
    """Return the list that the options describe.

    Raises:
        InvalidArgumentError: if an option is invalid.
    """
    pager = persona.cases.list(**attrs.asdict(filters), only=only, **_steps(paging))
    return pager if paging.limit is None else pager.limit(paging.limit)


def predicate(selection: Selection) -> Predicate | None:
    """Return the query; None for all cases.

    Raises:
        InvalidArgumentError: if the query is given twice, or its file cannot be read.
        QueryError: if the query is invalid.
    """
    if selection.where and selection.query_json is not None:
        raise InvalidArgumentError("give --where or --query-json, not both")
    if selection.where:
        return expression(selection.where, "--where")
    if selection.query_json is not None:
        with _blaming(_QUERY_JSON):
            return Predicate.from_dict(_json(selection.query_json))
    return None


def expression(texts: Iterable[str], option: str) -> Predicate:
    """Return the query that must hold if all of several texts are to hold.

    Raises:
        QueryError: if one is invalid; the message names the option.
    """
    with _blaming(option):
        return reduce(Predicate.__and__, map(parse, texts))


def sort_order(selection: Selection) -> Sort | None:
    """Return the sort order; None for the default.

    Raises:
        QueryError: if the sort order is invalid.
    """
    if selection.sort is None:
        return None
    with _blaming("--sort"):
        return Sort.parse(selection.sort)


def attributes(text: str | None) -> list[str] | None:
    """Return the names in `--only`; None for all attributes.

    Raises:
        InvalidArgumentError: if a name is empty, or cases do not have it. The message suggests the nearest name.
    """
    listed = _names(text, "--only", "status,created_at")
    for name in listed or ():
        attribute_asked(name, "--only")
    return listed


def relationships(text: str | None) -> list[str] | None:
    """Return the names in `--include`; None for no related objects.

    Raises:
        InvalidArgumentError: if a name is empty, or cases do not have it. The message suggests the nearest name.
    """
    listed = _names(text, "--include", "case-template,accounts")
    for name in listed or ():
        related_asked(name, "--include")
    return listed


def _names(text: str | None, option: str, example: str) -> list[str] | None:
    if text is None:
        return None
    listed = [name.strip() for name in text.split(",")]
    if not all(listed):
        raise InvalidArgumentError(f"{option} takes names separated by commas: {option} {example}")
    return listed


def _json(given: str) -> object:
    text = given_bytes(given, _QUERY_JSON)
    return json_document(text, _QUERY_JSON, "the value is not JSON: to read a file, give @FILE")


@contextlib.contextmanager
def _blaming(option: str) -> Generator[None]:
    try:
        yield
    except QueryError as error:
        raise QueryError(f"{option}: {error}", pointer=error.pointer) from error


def _steps(paging: Paging) -> dict[str, Any]:
    return {"page_size": paging.page_size, "after": paging.after, "before": paging.before}
