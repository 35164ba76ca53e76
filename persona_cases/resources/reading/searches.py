"""A search as it will be sent: the expression, planned within the API's limits, and the sort order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from persona_cases import paging
from persona_cases.errors import QueryTypeError
from persona_cases.protocol.message import QueryPairs, Request
from persona_cases.query import Predicate, Q, Sort
from persona_cases.query.values import whole_number
from persona_cases.resources.reading.creation_order import in_creation_order
from persona_cases.resources.reading.page_requests import nothing
from persona_cases.resources.reading.shown_order import sort_key
from persona_cases.resources.requests import query_parameters as parameters

if TYPE_CHECKING:
    from persona_cases.models import Case, Fieldset
    from persona_cases.paging import Fetch, Identified, Merge, SortValue
    from persona_cases.query import SearchLimits

T = TypeVar("T", bound="Identified")

_SEARCH = "/cases/search"
_BY_CREATION = {Q.created_at.asc(), Q.created_at.desc()}


class Search:
    """One or several search requests for one expression.

    Attributes:
        where: the expression; None finds all cases.
        searches: the expressions of the planned searches; none if no case can match.
        sort: the sort order. It is always sent, because the API does not document its default.
        query: the parameters of the requests.
        shows_creation: whether the loaded attributes include the creation time.
    """

    def __init__(
        self,
        where: Predicate | None,
        searches: tuple[Predicate | None, ...],
        sort: Sort,
        query: QueryPairs = (),
        *,
        shows_creation: bool = True,
    ) -> None:
        self.where = where
        self.searches = searches
        self.sort = sort
        self.query = query
        self.shows_creation = shows_creation

    @classmethod
    def of(cls, where: Predicate | None, sort: object, max_searches: int, limits: SearchLimits | None) -> Search:
        """Check the arguments of a search.

        Raises:
            QueryTypeError: if `where` is not an expression, or `sort` is not a sort order.
            QueryTooComplexError: if the expression takes more than `max_searches` searches.
            QueryError: if it takes several searches, and their results cannot be merged in this order.
        """
        search = cls(where, _planned(where, max_searches, limits), _order(sort))
        if search.merged:
            sort_key(search.sort)
        return search

    @property
    def merged(self) -> bool:
        """Whether the query runs as several searches."""
        return len(self.searches) > 1

    @property
    def unstable(self) -> bool:
        """Whether a case can move in this order during an iteration."""
        return self.sort not in _BY_CREATION

    def loading(self, only: Iterable[str] | None) -> tuple[Search, Fieldset | None]:
        """Return the search limited to those attributes and the one that results are merged by."""
        query, fieldset = parameters.fieldset(only)
        if fieldset is not None and self.merged:
            query, fieldset = parameters.fieldset([*fieldset.names, self.sort.attribute])
        shows_creation = fieldset is None or self.sort.attribute in fieldset.names
        return Search(self.where, self.searches, self.sort, query, shows_creation=shows_creation), fieldset

    def requests(self) -> list[Request]:
        """Return the requests, without page parameters."""
        return [
            Request("POST", _SEARCH, query=self.query, body=msgspec.json.encode(self._body(where)))
            for where in self.searches
        ]

    def fetch(self, walk: Callable[[Request], Fetch[Case]], *, backward: bool = False) -> Fetch[Case] | Merge[Case]:
        """Return the function that fetches the pages, or the `Merge` of several.

        Args:
            walk: returns the function that fetches the pages of one request.
            backward: whether it pages backward.
        """
        # The API does not document the order of pages before a cursor.
        checked = walk if backward else self._checked(walk)
        return self.fetch_by(checked, sort_key(self.sort) if self.merged else None)

    def fetch_by(
        self, walk: Callable[[Request], Fetch[T]], key: Callable[[T], SortValue | None] | None
    ) -> Fetch[T] | Merge[T]:
        """Return the function that fetches the pages, of any type of item, or the `Merge` of several.

        Args:
            walk: returns the function that fetches the pages of one request.
            key: returns the sort key of an item; it is used if several requests are merged.
        """
        requests = self.requests()
        if not requests:
            return nothing
        if not self.merged or key is None:
            return walk(requests[0])
        return paging.Merge(
            fetches=tuple(map(walk, requests)),
            key=key,
            descending=self.sort.direction == "desc",
            fingerprint=b"\n".join(request.body or b"" for request in requests).decode(),
        )

    def explain(self) -> str:
        """Describe the requests in words and JSON."""
        if not self.searches:
            return f"nothing is sent: no case can match {self.where}"
        requests = self.requests()
        described = [self._described(*each) for each in zip(self.searches, requests, strict=True)]
        if not self.merged:
            return f"one search: {described[0]}"
        heading = f"{len(described)} searches, run side by side and merged; each case comes once"
        return "\n".join([heading, *(f"{number}. {text}" for number, text in enumerate(described, start=1))])

    def _checked(self, walk: Callable[[Request], Fetch[Case]]) -> Callable[[Request], Fetch[Case]]:
        if self.unstable or not self.shows_creation:
            return walk
        return lambda request: in_creation_order(walk(request), descending=self.sort.direction == "desc")

    def _described(self, where: Predicate | None, request: Request) -> str:
        looked_for = "all cases" if where is None else f"cases where {where}"
        order = f"by {self.sort.attribute}, {'descending' if self.sort.direction == 'desc' else 'ascending'}"
        body = msgspec.json.format(request.body or b"", indent=2).decode()
        return f"{looked_for}, {order}\n{describe(request)}\n{body}"

    def _body(self, where: Predicate | None) -> dict[str, Any]:
        query: dict[str, Any] = {} if where is None else {"query": where.to_dict()}
        return {**query, "sort": self.sort.to_dict()}


def describe(request: Request) -> str:
    """Return the method, path and parameters of a request in readable form."""
    parameters = "&".join(f"{name}={value}" for name, value in request.query)
    return f"{request.method} {request.path}{'?' if parameters else ''}{parameters}"


def _planned(where: Predicate | None, max_searches: int, limits: SearchLimits | None) -> tuple[Predicate | None, ...]:
    if where is None:
        whole_number("max_searches", max_searches, 1)
        return (None,)
    # Many programs read all cases, or only those that they know.
    from persona_cases.query.planner.plan import plan  # noqa: PLC0415

    return plan(where, limits, max_searches).searches


def _order(sort: object) -> Sort:
    if sort is None:
        return Q.created_at.desc()
    if not isinstance(sort, Sort):
        raise QueryTypeError("sort must be an order such as Q.created_at.desc()")
    return sort
