"""The query string and the `page` object of a search, parsed as strictly as the closed schemas require."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import attrs

from persona_cases.testing.http.json_types import is_object
from persona_cases.testing.http.problems import bad_request

__all__ = ["Family", "PageRequest", "Parameters", "page_from_body", "parse_parameters"]

Family = Literal["page", "filter", "fields", "include"]

_BRACKETS = re.compile(r"(page|filter|fields)\[([^\[\]]+)\]")
_PAGE = frozenset({"after", "before", "size"})
_DEFAULT_SIZE = 10
_LARGEST_SIZE = 100
_DIGITS = re.compile(r"[0-9]{1,9}")


@attrs.frozen
class PageRequest:
    """The requested page; None for parts that the request left out."""

    after: str | None = None
    before: str | None = None
    asked_size: int | None = None

    @property
    def size(self) -> int:
        """Maximum number of results."""
        return _DEFAULT_SIZE if self.asked_size is None else self.asked_size

    def overlaid(self, upper: PageRequest) -> PageRequest:
        """Return this page, overridden by `upper`.

        Raises:
            AnsweredError: if together they request both directions.
        """
        return _checked(
            PageRequest(
                after=self.after if upper.after is None else upper.after,
                before=self.before if upper.before is None else upper.before,
                asked_size=self.asked_size if upper.asked_size is None else upper.asked_size,
            )
        )


@attrs.frozen
class Parameters:
    """A parsed query string.

    Attributes:
        page: the `page[...]` parameters.
        filters: the `filter[...]` parameters by name.
        fieldsets: names listed in `fields[type]`, by type.
        include: relationship paths of `include`; None if it was not sent, which is not the same as empty.
    """

    page: PageRequest
    filters: Mapping[str, str]
    fieldsets: Mapping[str, tuple[str, ...]]
    include: tuple[str, ...] | None

    def echoed(self) -> dict[str, str]:
        """Return the filters and fieldsets as a link repeats them."""
        fieldsets = {f"fields[{type_}]": ",".join(names) for type_, names in self.fieldsets.items()}
        return {**{f"filter[{name}]": value for name, value in self.filters.items()}, **fieldsets}


def parse_parameters(query: str, allowed: frozenset[Family], filters: Collection[str] = ()) -> Parameters:
    """Parse a query string that may have only the `allowed` families of parameters.

    Args:
        query: the query string.
        allowed: the allowed families of parameters.
        filters: the names that `filter[...]` may have.

    Raises:
        AnsweredError: 400 for an unknown, repeated or malformed parameter.
    """
    found: dict[Family, dict[str, str]] = {"page": {}, "filter": {}, "fields": {}, "include": {}}
    for name, value in parse_qsl(query, keep_blank_values=True):
        family, member = _split(name)
        if family is None or family not in allowed:
            raise bad_request(f"{name} is not allowed")
        if member in found[family]:
            raise bad_request(f"{name} is given more than once")
        found[family][member] = value
    unknown = sorted(found["filter"].keys() - set(filters))
    if unknown:
        raise bad_request(f"filter[{unknown[0]}] is not allowed")
    return Parameters(
        page=_page_from_query(found["page"]),
        filters=found["filter"],
        fieldsets={type_: _names(listed) for type_, listed in found["fields"].items()},
        include=_names(found["include"]["include"]) if found["include"] else None,
    )


def page_from_body(page: Any) -> PageRequest:
    """Parse the `page` member of a search.

    Raises:
        AnsweredError: 400 for anything but a closed object of the documented members.
    """
    if not is_object(page):
        raise bad_request("page must be an object")
    for name in sorted(page.keys() - _PAGE):
        raise bad_request(f"page.{name} is not allowed")
    for name in sorted(page.keys() & {"after", "before"}):
        if not isinstance(page[name], str):
            raise bad_request(f"page.{name} must be a string")
    size = page.get("size", _DEFAULT_SIZE)
    if not isinstance(size, int) or isinstance(size, bool):
        raise bad_request("page.size must be an integer")
    return _checked(PageRequest(page.get("after"), page.get("before"), page.get("size")))


def _split(name: str) -> tuple[Family | None, str]:
    if name == "include":
        return "include", name
    match = _BRACKETS.fullmatch(name)
    if match is None:
        return None, name
    families: dict[str, Family] = {"page": "page", "filter": "filter", "fields": "fields"}
    return families[match[1]], match[2]


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _page_from_query(page: Mapping[str, str]) -> PageRequest:
    for name in sorted(page.keys() - _PAGE):
        raise bad_request(f"page[{name}] is not allowed")
    size = page.get("size")
    if size is not None and not _DIGITS.fullmatch(size):
        raise bad_request("page.size must be an integer")
    return _checked(PageRequest(page.get("after"), page.get("before"), None if size is None else int(size)))


def _checked(page: PageRequest) -> PageRequest:
    if page.after is not None and page.before is not None:
        raise bad_request("page.after and page.before cannot be used together")
    if not 1 <= page.size <= _LARGEST_SIZE:
        raise bad_request(f"page.size must be between 1 and {_LARGEST_SIZE}")
    return page
