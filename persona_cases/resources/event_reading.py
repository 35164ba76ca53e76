"""`persona.events`: the events that webhooks receive."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from persona_cases.models import Case
from persona_cases.models.webhook_event import WebhookEvent, decode_event, decode_event_page
from persona_cases.paging import LARGEST_PAGE, Pager, WalkOptions, check_page
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.message import Request
from persona_cases.resources.client_lessons import EVENTS
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading.page_requests import page_of, pages_of
from persona_cases.resources.reading.searches import describe
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.teaching import taught

_LIST = "/events"


@taught(EVENTS)
class Events:
    """The events of an environment, to catch up on missed webhooks. The key needs the permission `event.read`.

    Args:
        api: how to reach them.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def __repr__(self) -> str:
        return f"<Events of {self._api.base.url}>"

    def list(
        self,
        *,
        name: str | Iterable[str] | None = None,
        object_id: Case | str | Iterable[Case | str] | None = None,
        id: str | Iterable[str] | None = None,
        limit: int | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
        before: str | None = None,
    ) -> Pager[WebhookEvent]:
        """List events, newest first. The API keeps them for three months, and cannot filter them by time.

        Args:
            name: only events with this name, such as `case.resolved`, or with one of several names.
            object_id: only events about this case or these cases; for other objects, pass their ids.
            id: only the event with this id, or the events with these ids.
            limit: maximum number of events; None for no limit. `.limit(n)` of the pager does the same.
            page_size: events per request, 1 to 100.
            after: start after the event with this id.
            before: iterate toward newer events, starting from the event with this id.

        Returns:
            A pager, which sends nothing until you iterate over it or await it.

        Raises:
            InvalidArgumentError: if an argument is invalid.

        See https://docs.withpersona.com/api-reference/events/list-all-events.
        """
        check_page(page_size, after, before)
        filters = parameters.listed_filters({"name": name, "object-id": object_id, "id": id})
        request, backward = Request("GET", _LIST, query=filters), before is not None
        pager = Pager(
            fetch=pages_of(self._api, request, decode_event_page, page_of, backward=backward),
            what="events",
            options=WalkOptions(page_size=page_size),
            backward=backward,
            explain=partial(describe, request),
        )
        pager = pager if limit is None else pager.limit(limit)
        cursor = after or before
        return pager if cursor is None else pager.resume(cursor)

    async def get(self, id: str) -> WebhookEvent:
        """Retrieve one event.

        Args:
            id: the id of the event.

        Returns:
            The event.

        Raises:
            InvalidArgumentError: if the id is invalid.
            NotFoundError: if there is no such event.
            APIError: if the API responded with another error status.
            TransportError: if no complete response arrived.

        See https://docs.withpersona.com/api-reference/events/retrieve-an-event.
        """
        return await self._api.load(Request("GET", f"{_LIST}/{segment(id, 'id')}"), decode_event)
