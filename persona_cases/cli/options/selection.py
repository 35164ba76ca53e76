"""From the texts of options to arguments of the client."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from functools import reduce
from typing import Final

from persona_cases.cli.options.given import given_bytes, json_document
from persona_cases.cli.options.option_groups import Filters, Selection, Walk
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError, QueryError
from persona_cases.models import Case
from persona_cases.models.loadable_names import attribute_asked, related_asked
from persona_cases.paging import Pager
from persona_cases.query import Predicate, Sort, parse

__all__ = ["attributes", "listing", "predicate", "relationships", "searching", "sort_order"]

_QUERY_JSON: Final = "--query-json"


def searching(persona: PersonaClient, selection: Selection, only: list[str] | None, walk: Walk) -> Pager[Case]:
    """Return the search that the options ask for.

    Raises:
        InvalidArgumentError: if an option cannot work.
        QueryError: if the expression or the order cannot be read.
    """
    pager = persona.cases.search(
        predicate(selection),
        sort=sort_order(selection),
        only=only,
        page_size=walk.page_size,
        after=walk.after,
        before=walk.before,
    )
    return _limited(pager, walk)


def listing(persona: PersonaClient, filters: Filters, only: list[str] | None, walk: Walk) -> Pager[Case]:
    """Return the list that the options ask for.

    Raises:
        InvalidArgumentError: if an option cannot work.
    """
    pager = persona.cases.list(
        status=filters.status,
        case_template_id=filters.case_template_id,
        account_id=filters.account_id,
        reference_id=filters.reference_id,
        inquiry_id=filters.inquiry_id,
        report_id=filters.report_id,
        only=only,
        page_size=walk.page_size,
        after=walk.after,
        before=walk.before,
    )
    return _limited(pager, walk)


def predicate(selection: Selection) -> Predicate | None:
    """Return what to look for, None for all cases.

    Raises:
        InvalidArgumentError: if it is given twice, or its file cannot be read.
        QueryError: if it cannot be read.
    """
    if selection.where and selection.query_json is not None:
        raise InvalidArgumentError("give --where or --query-json, not both")
    if selection.where:
        with _blaming("--where"):
            return reduce(_both, map(parse, selection.where))
    if selection.query_json is not None:
        with _blaming(_QUERY_JSON):
            return Predicate.from_dict(_json(selection.query_json))
    return None


def sort_order(selection: Selection) -> Sort | None:
    """Return the order, None for the default.

    Raises:
        QueryError: if it cannot be read.
    """
    if selection.sort is None:
        return None
    with _blaming("--sort"):
        return Sort.parse(selection.sort)


def attributes(text: str | None) -> list[str] | None:
    """Return the names of `--only`, None for all attributes.

    Raises:
        InvalidArgumentError: if one is missing, or is none of a case; the message has the nearest one.
    """
    listed = _names(text, "--only", "status,created_at")
    for name in listed or ():
        attribute_asked(name, "--only")
    return listed


def relationships(text: str | None) -> list[str] | None:
    """Return the names of `--include`, None for none.

    Raises:
        InvalidArgumentError: if one is missing, or is none of a case; the message has the nearest one.
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
        raise InvalidArgumentError(f"{option} takes names with commas between them: {option} {example}")
    return listed


def _json(given: str) -> object:
    text = given_bytes(given, _QUERY_JSON)
    return json_document(text, _QUERY_JSON, "the value is not JSON: to read a file, give @FILE")


def _both(one: Predicate, other: Predicate) -> Predicate:
    return one & other


@contextlib.contextmanager
def _blaming(option: str) -> Generator[None]:
    try:
        yield
    except QueryError as error:
        raise QueryError(f"{option}: {error}", pointer=error.pointer) from error


def _limited(pager: Pager[Case], walk: Walk) -> Pager[Case]:
    return pager if walk.limit is None else pager.limit(walk.limit)
