"""Counts of the requests of one task, even if others use the client at the same time."""

from __future__ import annotations

import copy
from typing import Protocol, TypeVar

import attrs

from persona_cases.protocol.events import AttemptAnswered, AttemptSent, Event
from persona_cases.resources.endpoint import Api

__all__ = ["RequestCount", "counted"]


class _Counted(Protocol):
    _api: Api


R = TypeVar("R", bound=_Counted)


@attrs.define
class RequestCount:
    """An observer that counts requests to the API.

    Attributes:
        sent: number of requests, including those without a response.
        refused: number of 429 responses.
    """

    sent: int = 0
    refused: int = 0

    def __call__(self, event: Event) -> None:
        """Count an event."""
        if event.call.host == "api":
            self.sent += isinstance(event, AttemptSent)
            self.refused += isinstance(event, AttemptAnswered) and event.status == 429


def counted(resource: R) -> tuple[R, RequestCount]:
    """Return a copy of a resource that shares everything with it, and the count of requests sent through the copy."""
    count, twin = RequestCount(), copy.copy(resource)
    twin._api = resource._api.observed_by(count)
    return twin, count
