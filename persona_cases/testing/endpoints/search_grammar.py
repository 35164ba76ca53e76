"""The body of a search, checked against the documented grammar.

The check is implemented here, without `Predicate.from_dict`, so that the simulator is an independent judge of the
client's requests. See https://docs.withpersona.com/api-reference/cases/search-cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from persona_cases.query import SearchLimits
from persona_cases.testing.http.json_types import is_array, is_object
from persona_cases.testing.http.problems import bad_request
from persona_cases.testing.http.strict_parameters import PageRequest, page_from_body

__all__ = ["SearchBody", "SortOrder", "read_search_body"]

_SORTABLE = frozenset(
    {
        "template",
        "status",
        "state",
        "created_at",
        "updated_at",
        "resolved_at",
        "sla_expires_at",
        "assignee",
        "case_queue",
        "resolver",
    }
)
_NOT_SORTABLE = frozenset({"case_template_id", "case_queue_id", "resolution", "account_id", "inquiry_id", "tag_id"})
_OPERATORS = frozenset({"eq", "gt", "gte", "lt", "lte"})
_LEAF = frozenset({"attribute", "operator", "value"})
_FIELD = "fields."


@attrs.frozen
class SortOrder:
    """The sort order of a search."""

    attribute: str = "created_at"
    descending: bool = True


@attrs.frozen
class SearchBody:
    """A well-formed search; `query` is None for all cases."""

    query: dict[str, Any] | None
    sort: SortOrder
    page: PageRequest


def read_search_body(body: Any, limits: SearchLimits, fields: frozenset[str]) -> SearchBody:
    """Check the body of a search.

    Args:
        body: the JSON document sent; None for an empty body.
        limits: the maximum depth and width of a query.
        fields: keys of the searchable custom fields.

    Raises:
        AnsweredError: 400, with the place and the reason.
    """
    members = _object({} if body is None else body, "body")
    _closed(members, frozenset({"query", "sort", "page"}), "body")
    query = None
    if "query" in members:
        query = _object(members["query"], "query")
        _Grammar(limits, fields).check(query, "query", depth=0)
    return SearchBody(
        query=query,
        sort=_sort(members["sort"], fields) if "sort" in members else SortOrder(),
        page=page_from_body(members["page"]) if "page" in members else PageRequest(),
    )


@attrs.frozen
class _Grammar:
    limits: SearchLimits
    fields: frozenset[str]

    def check(self, node: Any, where: str, depth: int) -> None:
        members = _object(node, where)
        if len(members) == 1:
            kind, operand = next(iter(members.items()))
            rule = self._rules().get(kind)
            if rule is not None:
                level = depth if self._is_free(kind, operand) else depth + 1
                if level > self.limits.max_depth:
                    raise bad_request(f"{where}.{kind} is nested deeper than {self.limits.max_depth} levels")
                rule(operand, f"{where}.{kind}", level)
                return
        self._leaf(members, where)

    def _is_free(self, kind: str, operand: Any) -> bool:
        counted = self.limits.count_negated_leaf or kind != "not"
        return not counted and is_object(operand) and "attribute" in operand

    def _rules(self) -> Mapping[str, Callable[[Any, str, int], None]]:
        return {"and": self._clauses, "or": self._clauses, "not": self.check}

    def _clauses(self, clauses: Any, where: str, depth: int) -> None:
        if not is_array(clauses):
            raise bad_request(f"{where} must be an array")
        if not 1 <= len(clauses) <= self.limits.max_clauses:
            raise bad_request(f"{where} must have between 1 and {self.limits.max_clauses} clauses")
        for index, node in enumerate(clauses):
            self.check(node, f"{where}.{index}", depth)

    def _leaf(self, leaf: Mapping[str, Any], where: str) -> None:
        _closed(leaf, _LEAF, where)
        for name in sorted(_LEAF - leaf.keys()):
            raise bad_request(f"{where}.{name} is missing")
        operator = leaf["operator"]
        if not isinstance(operator, str) or operator not in _OPERATORS:
            raise bad_request(f"{where}.operator must be one of eq, gt, gte, lt, lte")
        if not isinstance(leaf["value"], str | int | float | bool):
            raise bad_request(f"{where}.value must be a string, number or boolean")
        _searchable(leaf["attribute"], f"{where}.attribute", self.fields)


def _sort(sort: Any, fields: frozenset[str]) -> SortOrder:
    members = _object(sort, "sort")
    _closed(members, frozenset({"attribute", "direction"}), "sort")
    for name in ("attribute", "direction"):
        if name not in members:
            raise bad_request(f"sort.{name} is missing")
    attribute = _searchable(members["attribute"], "sort.attribute", fields)
    if attribute in _NOT_SORTABLE:
        raise bad_request(f"sort.attribute {attribute} cannot be sorted by")
    direction = members["direction"]
    if not isinstance(direction, str) or direction not in {"asc", "desc"}:
        raise bad_request("sort.direction must be asc or desc")
    return SortOrder(attribute, descending=direction == "desc")


def _searchable(attribute: Any, where: str, fields: frozenset[str]) -> str:
    if not isinstance(attribute, str):
        raise bad_request(f"{where} must be a string")
    known = attribute in _SORTABLE or attribute in _NOT_SORTABLE
    if not known and not (attribute.startswith(_FIELD) and attribute.removeprefix(_FIELD) in fields):
        raise bad_request(f"{where} {attribute} is not searchable")
    return attribute


def _object(value: Any, where: str) -> dict[str, Any]:
    if not is_object(value):
        raise bad_request(f"{where} must be an object")
    return value


def _closed(members: Mapping[str, Any], allowed: frozenset[str], where: str) -> None:
    for name in sorted(members.keys() - allowed):
        raise bad_request(f"{where}.{name} is not allowed")
