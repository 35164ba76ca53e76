"""Counts of the requests of one task, even if others use the client at the same time."""

from __future__ import annotations

import copy
from typing import Protocol, TypeVar

from persona_cases.protocol.call_options import RequestCount
from persona_cases.resources.endpoint import Api

__all__ = ["RequestCount", "counted"]


class _Counted(Protocol):
    _api: Api


R = TypeVar("R", bound=_Counted)


def counted(resource: R) -> tuple[R, RequestCount]:
    """Return a copy of a resource that shares everything with it, and the count of requests sent through the copy."""
    count, twin = RequestCount(), copy.copy(resource)
    twin._api = resource._api.counted_by(count)
    return twin, count
