"""The bodies of deliveries: events with the case as it was at that time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing.http.documents import Presentation, check_include, included, serialize_case, serialize_event
from persona_cases.testing.http.inflection import Inflection, is_inflection
from persona_cases.testing.http.problems import AnsweredError
from persona_cases.testing.world.case_events import SimulatedEvent
from persona_cases.testing.world.file_links import FileLinks, FileSigner
from persona_cases.testing.world.store import CaseStore

__all__ = ["BodyStyle", "WebhookBodies"]


@attrs.frozen
class BodyStyle:
    """The format of cases in a webhook.

    Attributes:
        include: relationships of cases whose objects to include.
        inflection: the spelling of names.
        version: the version of the API.
    """

    include: tuple[str, ...]
    inflection: Inflection
    version: str


class WebhookBodies:
    """Writes the bodies of deliveries.

    Args:
        store: the store with the objects related to a case.
        signer: signs links to files.
        origin: returns the origin that serves files.
    """

    def __init__(self, store: CaseStore, signer: FileSigner, origin: Callable[[], str]) -> None:
        self._store = store
        self._signer = signer
        self._origin = origin

    def styled(self, style: BodyStyle) -> Callable[[SimulatedEvent], bytes]:
        """Return the function that writes the bodies of one webhook.

        Raises:
            InvalidArgumentError: if the style has an unknown spelling or relationship.
        """
        if not is_inflection(style.inflection):
            raise InvalidArgumentError("key_inflection must be kebab, snake or camel")
        try:
            check_include(style.include)
        except AnsweredError as error:
            reason = error.details
        else:
            return partial(self._render, style)
        raise InvalidArgumentError(f"include: {reason}")

    def _render(self, style: BodyStyle, event: SimulatedEvent) -> bytes:
        links = FileLinks(self._origin(), self._signer, self._signer.expiry())
        look = Presentation(style.inflection, style.version, links)
        payload: dict[str, Any] | None = None
        if event.case is not None:
            others = included(event.case, style.include, self._store, look)
            payload = {"data": serialize_case(event.case, look), "included": others}
        return msgspec.json.encode({"data": serialize_event(event, look, payload)})
