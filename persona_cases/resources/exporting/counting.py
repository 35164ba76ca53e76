"""Counting the requests of one piece of work, whoever else uses the client meanwhile."""

from __future__ import annotations

import copy
from typing import Protocol, TypeVar

import attrs

from persona_cases.protocol.message import Request, Response
from persona_cases.resources.endpoint import Api
from persona_cases.transport.middleware import Next

__all__ = ["RequestCount", "counted"]


class _Sending(Protocol):
    _api: Api


R = TypeVar("R", bound=_Sending)


@attrs.define
class RequestCount:
    """A middleware that counts what passes it.

    Attributes:
        sent: requests, each attempt counted, also those that got no answer.
        refused: answers of status 429.
    """

    sent: int = 0
    refused: int = 0

    async def __call__(self, request: Request, call_next: Next) -> Response:
        """Pass a request on, and count it."""
        self.sent += 1
        response = await call_next(request)
        self.refused += response.status == 429
        return response


def counted(resource: R) -> tuple[R, RequestCount]:
    """Return a copy of a resource that shares everything with it, and the count of what is sent through the copy."""
    count, twin = RequestCount(), copy.copy(resource)
    # Below the user's middleware, so that what it answers by itself is no request, and what it repeats is.
    twin._api = attrs.evolve(resource._api, transport=resource._api.transport.with_innermost(count))
    return twin, count
