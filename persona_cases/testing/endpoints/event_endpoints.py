"""The endpoints that read events: the list with its filters, and a single event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from persona_cases.testing.http.documents import links, serialize_event
from persona_cases.testing.http.problems import bad_request, not_found
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.strict_parameters import Family
from persona_cases.testing.world.case_events import SimulatedEvent
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.ordering import Ordering, SortKey, sort_key

__all__ = ["EventEndpoints"]

_LIST_PATH = "/api/v1/events"

_LIST: frozenset[Family] = frozenset({"page", "filter", "fields"})
_SINGLE: frozenset[Family] = frozenset({"include", "fields"})


class EventEndpoints:
    """The endpoints below `/events`.

    Args:
        events: the events.
        echo_filters: whether links repeat filters and fieldsets.
    """

    def __init__(self, events: EventLog, *, echo_filters: bool) -> None:
        self._events = events
        self._echo_filters = echo_filters

    def list(self, call: ReceivedCall) -> Reply:
        """Handle `GET /events`: newest first, always up to date."""
        parameters = call.parameters(_LIST, _FILTERS)
        self._events.look_at_clock()
        known = {event.id: event for event in self._events}
        page, places = parameters.page, dict[str, SortKey]()
        for side, cursor in (("after", page.after), ("before", page.before)):
            if cursor is not None:
                if cursor not in known:
                    raise bad_request(f"page.{side} {cursor} is not found")
                places[side] = _by_age(known[cursor])
        wanted = {name: _listed(value) for name, value in parameters.filters.items()}
        found = (event for event in known.values() if all(_FILTERS[name](event) in wanted[name] for name in wanted))
        part = Ordering(map(_by_age, found), descending=True).page(page.size, **places)
        look = call.styled(parameters)
        echoed = parameters.echoed() if self._echo_filters else {}
        return Reply(
            {
                "data": [serialize_event(known[event_id], look) for event_id in part.ids],
                "links": links(_LIST_PATH, part, page.asked_size, echoed),
            }
        )

    def get(self, call: ReceivedCall) -> Reply:
        """Handle `GET /events/{id}`; it cannot include other objects."""
        parameters = call.parameters(_SINGLE)
        self._events.look_at_clock()
        event = next((event for event in self._events if event.id == call.path["id"]), None)
        if event is None:
            raise not_found()
        if parameters.include:
            raise bad_request(f"include {parameters.include[0]} is not supported")
        document: dict[str, Any] = {"data": serialize_event(event, call.styled(parameters))}
        if parameters.include is not None:
            document["included"] = []
        return Reply(document)


def _by_age(event: SimulatedEvent) -> SortKey:
    return sort_key(event.number, event.id, descending=True)


def _listed(value: str) -> frozenset[str]:
    return frozenset(name.strip() for name in value.split(","))


_FILTERS: Mapping[str, Callable[[SimulatedEvent], str | None]] = {
    "name": lambda event: event.name,
    "object-id": lambda event: event.object_id,
    "id": lambda event: event.id,
}
