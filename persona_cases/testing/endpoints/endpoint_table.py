"""The reading endpoints: they parse the parameters, query the store or the index, and make the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from persona_cases.query import SearchLimits
from persona_cases.testing.endpoints.search_grammar import read_search_body
from persona_cases.testing.endpoints.search_index import OrderCache, SearchIndex
from persona_cases.testing.endpoints.single_case import RETRIEVED, SingleCase
from persona_cases.testing.http.documents import Presentation, links, serialize_case, serialize_resource
from persona_cases.testing.http.problems import bad_request, not_found
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.strict_parameters import Family, PageRequest, Parameters
from persona_cases.testing.world.ordering import Ordering, Slice, SortKey, sort_key
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord, Ref
from persona_cases.testing.world.surroundings import template_resource

__all__ = ["CasesEndpoints", "TemplateEndpoints"]

_LIST_PATH = "/api/v1/cases"
_SEARCH_PATH = "/api/v1/cases/search"

_LIST: frozenset[Family] = frozenset({"page", "filter", "fields"})
_SEARCH: frozenset[Family] = frozenset({"page", "fields"})
_SINGLE: frozenset[Family] = frozenset({"include", "fields"})


class CasesEndpoints:
    """The endpoints that read cases.

    Args:
        store: the cases.
        index: the search index.
        limits: the maximum depth and width of a search.
        echo_filters: whether links repeat filters and fieldsets, which the vendor does not document.
    """

    def __init__(self, store: CaseStore, index: SearchIndex, limits: SearchLimits, *, echo_filters: bool) -> None:
        self._store = store
        self._index = index
        self._limits = limits
        self._echo_filters = echo_filters
        self._orders = OrderCache()

    def list(self, call: ReceivedCall) -> Reply:
        """Handle `GET /cases`: newest first, always up to date."""
        parameters = call.parameters(_LIST, _FILTERS)
        cases, filters = self._store.cases, parameters.filters
        key = tuple(sorted(filters.items()))
        order = self._orders.get(self._store.version, key, lambda: self._filtered(filters))
        page = parameters.page
        part = _cut(order, page, lambda case_id: _by_age(cases[case_id]) if case_id in cases else None)
        return Reply(
            {
                "data": _serialize_all((cases[case_id] for case_id in part.ids), call.styled(parameters)),
                "links": links(_LIST_PATH, part, page.asked_size, self._echo(parameters)),
            }
        )

    def search(self, call: ReceivedCall) -> Reply:
        """Handle `POST /cases/search`: the state of the index, in the requested order."""
        parameters = call.parameters(_SEARCH)
        body = read_search_body(call.body(), self._limits, self._store.searchable_fields())
        page = body.page.overlaid(parameters.page)
        order = self._index.search(body.query, body.sort)
        part = _cut(order, page, lambda case_id: self._index.key(case_id, body.sort))
        return Reply(
            {
                "data": _serialize_all(self._index.cases(part.ids), call.styled(parameters)),
                "links": links(_SEARCH_PATH, part, page.size, self._echo(parameters)),
            }
        )

    def get(self, call: ReceivedCall) -> Reply:
        """Handle `GET /cases/{id}`: one case, with the objects that `include` requests."""
        wanted = SingleCase.asked_by(call)
        case = self._store.cases.get(call.path["id"])
        if case is None:
            raise not_found()
        return wanted.reply(case, self._store, unasked=RETRIEVED)

    def _filtered(self, filters: Mapping[str, str]) -> Ordering:
        tests = [(_FILTERS[name], value) for name, value in filters.items()]
        return Ordering(
            (
                _by_age(case)
                for case in self._store.cases.values()
                if all(holds(case, value, self._store) for holds, value in tests)
            ),
            descending=True,
        )

    def _echo(self, parameters: Parameters) -> dict[str, str]:
        return parameters.echoed() if self._echo_filters else {}


class TemplateEndpoints:
    """The endpoint that reads case templates."""

    def __init__(self, store: CaseStore) -> None:
        self._store = store

    def get(self, call: ReceivedCall) -> Reply:
        """Handle `GET /case-templates/{id}`; it cannot include other objects."""
        parameters = call.parameters(_SINGLE)
        template = self._store.templates.get(call.path["id"])
        if template is None:
            raise not_found()
        if parameters.include:
            raise bad_request(f"include {parameters.include[0]} is not supported")
        document: dict[str, Any] = {"data": serialize_resource(template_resource(template), call.styled(parameters))}
        if parameters.include is not None:
            document["included"] = []
        return Reply(document)


def _serialize_all(cases: Iterable[CaseRecord], look: Presentation) -> list[dict[str, Any]]:
    return [serialize_case(case, look) for case in cases]


def _by_age(case: CaseRecord) -> SortKey:
    return sort_key(case.created_at, case.id, descending=True)


def _cut(order: Ordering, page: PageRequest, place: Callable[[str], SortKey | None]) -> Slice:
    """Return the requested page; `place` returns the position of the case that a cursor names."""
    keys: dict[str, SortKey] = {}
    for side, cursor in (("after", page.after), ("before", page.before)):
        if cursor is not None:
            key = place(cursor)
            if key is None:
                raise bad_request(f"page.{side} {cursor} is not found")
            keys[side] = key
    return order.page(page.size, after=keys.get("after"), before=keys.get("before"))


def _has(refs: tuple[Ref, ...], id_: str) -> bool:
    return any(ref.id == id_ for ref in refs)


_FILTERS: Mapping[str, Callable[[CaseRecord, str, CaseStore], bool]] = {
    "status": lambda case, value, _: case.status == value,
    "case-template-id": lambda case, value, _: case.template_id == value,
    "account-id": lambda case, value, _: _has(case.accounts, value),
    "reference-id": lambda case, value, store: any(
        store.reference_id(account.id) == value for account in case.accounts
    ),
    "inquiry-id": lambda case, value, _: _has(case.inquiries, value),
    "report-id": lambda case, value, _: _has(case.reports, value),
}
