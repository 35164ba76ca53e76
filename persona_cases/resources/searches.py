"""A search as it will be sent: the expression, fitted to the API's limits, and the order."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from persona_cases.errors import QueryTooComplexError, QueryTypeError
from persona_cases.protocol.message import Request
from persona_cases.query import Predicate, Q, SearchLimits, Sort, as_predicate

_LIMITS = SearchLimits()
_BY_CREATION = {Q.created_at.asc(), Q.created_at.desc()}


@attrs.frozen(kw_only=True)
class Search:
    """One search request.

    Attributes:
        where: what to look for; None finds all cases.
        sort: the order. It is always sent, since the API does not say what it is otherwise.
        impossible: whether nothing can match, so that there is nothing to send.
    """

    where: Predicate | None
    sort: Sort
    impossible: bool = False

    @classmethod
    def of(cls, where: object, sort: object) -> Search:
        """Check the arguments of a search.

        Raises:
            QueryTypeError: if `where` is no expression, or `sort` no order.
            QueryTooComplexError: if the expression does not fit the API's limits, even simplified.
        """
        order = _order(sort)
        if where is None:
            return cls(where=None, sort=order)
        written = as_predicate(where, "where")
        simple = written.simplify()
        if simple == Q.all_of([]):
            return cls(where=None, sort=order)
        if simple == Q.any_of([]):
            return cls(where=written, sort=order, impossible=True)
        return cls(where=_fitting(written, simple), sort=order)

    @property
    def unstable(self) -> bool:
        """Whether a case can move in this order while it is walked."""
        return self.sort not in _BY_CREATION

    def to_json(self) -> dict[str, Any]:
        """Return the body of the request."""
        body: dict[str, Any] = {} if self.where is None else {"query": self.where.to_json()}
        return {**body, "sort": self.sort.to_json()}

    def explain(self, request: Request) -> str:
        """Describe the search in words and JSON."""
        if self.impossible:
            return f"nothing is sent: no case can match {self.where}"
        looked_for = "all cases" if self.where is None else f"cases where {self.where}"
        order = f"by {self.sort.attribute}, {'descending' if self.sort.direction == 'desc' else 'ascending'}"
        body = msgspec.json.format(request.body or b"", indent=2).decode()
        return f"one search: {looked_for}, {order}\n{describe(request)}\n{body}"


def describe(request: Request) -> str:
    """Return the method, path and parameters of a request, to be read by a person."""
    parameters = "&".join(f"{name}={value}" for name, value in request.query)
    return f"{request.method} {request.path}{'?' if parameters else ''}{parameters}"


def _order(sort: object) -> Sort:
    if sort is None:
        return Q.created_at.desc()
    if not isinstance(sort, Sort):
        raise QueryTypeError("sort must be an order such as Q.created_at.desc()")
    return sort


def _fitting(written: Predicate, simple: Predicate) -> Predicate:
    # What was written is sent as it was written, if it can be sent at all.
    try:
        _LIMITS.check(written)
    except QueryTooComplexError:
        _LIMITS.check(simple)
        return simple
    return written
