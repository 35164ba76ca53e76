"""The copy of the cases for searches, which lags behind the store and caches the order of recent results."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from persona_cases.errors import QueryError
from persona_cases.query import Predicate
from persona_cases.query.evaluation import evaluator
from persona_cases.testing.endpoints.search_grammar import SortOrder
from persona_cases.testing.endpoints.search_values import SearchDocument
from persona_cases.testing.http.problems import bad_request
from persona_cases.testing.world.ordering import Ordering, SortKey, sort_key
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord

__all__ = ["OrderCache", "SearchIndex"]

_REMEMBERED = 32


class OrderCache:
    """A cache of the orders of recent results, so that the next page does not examine every case again."""

    def __init__(self) -> None:
        self._version = 0
        self._orders: OrderedDict[Any, Ordering] = OrderedDict()

    def get(self, version: int, key: Any, make: Callable[[], Ordering]) -> Ordering:
        """Return the order cached under `key` for this version of the data, or a new one."""
        if version != self._version:
            self._version = version
            self._orders.clear()
        order = self._orders.pop(key, None)
        if order is None:
            order = make()
        self._orders[key] = order
        if len(self._orders) > _REMEMBERED:
            self._orders.popitem(last=False)
        return order


class SearchIndex:
    """Shows each case as it was `lag` seconds ago.

    Args:
        store: the store of the cases.
        clock: the clock that decides when a change becomes visible.
        lag: seconds between a change and the first search that shows it.
    """

    def __init__(self, store: CaseStore, clock: Clock, lag: float) -> None:
        self._store = store
        self._clock = clock
        self._lag = lag
        self._documents: dict[str, SearchDocument] = {}
        self._version = 0
        self._orders = OrderCache()

    def cases(self, case_ids: Iterable[str]) -> Iterator[CaseRecord]:
        """Return cases as the index has them, for ids from one of its results."""
        return (self._documents[case_id].case for case_id in case_ids)

    def key(self, case_id: str, sort: SortOrder) -> SortKey | None:
        """Return the position of a case in an order, even if no query matches it; None if there is no such case."""
        document = self._documents.get(case_id)
        if document is None:
            return None
        return sort_key(document.sort_value(sort.attribute), case_id, descending=sort.descending)

    def search(self, query: dict[str, Any] | None, sort: SortOrder) -> Ordering:
        """Return all cases that a query matches, in order; the query has passed the grammar.

        Raises:
            AnsweredError: 400 for a value that cannot be compared with.
        """
        self._catch_up()
        # msgspec distinguishes 1, 1.0 and true, which are equal as keys.
        key = (msgspec.json.encode(query), sort)
        return self._orders.get(self._version, key, lambda: self._scan(query, sort))

    def _catch_up(self) -> None:
        changes = self._store.changes
        visible = self._clock.monotonic() - self._lag
        while changes and changes[0].when <= visible:
            change = changes.popleft()
            self._version += 1
            if change.case is None:
                self._documents.pop(change.case_id, None)
            else:
                self._documents[change.case_id] = SearchDocument(change.case, self._store)

    def _scan(self, query: dict[str, Any] | None, sort: SortOrder) -> Ordering:
        found = self._documents if query is None else self._matching(_predicate(query))
        keys = (
            sort_key(found[case_id].sort_value(sort.attribute), case_id, descending=sort.descending)
            for case_id in found
        )
        return Ordering(keys, descending=sort.descending)

    def _matching(self, predicate: Predicate) -> dict[str, SearchDocument]:
        finds = evaluator(predicate)
        return {case_id: document for case_id, document in self._documents.items() if finds(document.lookup)}


def _predicate(query: dict[str, Any]) -> Predicate:
    try:
        return Predicate.from_dict(query)
    except QueryError as error:
        raise bad_request(f"query{(error.pointer or '').replace('/', '.')} cannot be searched for") from None
