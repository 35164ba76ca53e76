"""Puts names and ids that the simulator knows where schemathesis made some up: else little would get past a 404."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from persona_cases.testing import Simulator

__all__ = ["Lifelike"]

_KEPT = 4
"""One value in so many stays as it was made up."""


class Lifelike:
    """Replaces text by text that means something to a simulator; which, only the text that was there decides.

    Args:
        simulator: whose cases there are.
    """

    def __init__(self, simulator: Simulator) -> None:
        cases = list(simulator.store.cases.values())
        ids = [case.id for case in cases]
        accounts = sorted({account.id for case in cases for account in case.accounts})
        people = sorted({case.assignee_id for case in cases if case.assignee_id})
        templates = sorted(simulator.store.templates)
        queues = sorted({case.queue_id for case in cases if case.queue_id})
        statuses = sorted({case.status for case in cases})
        self._known: Mapping[str, Sequence[str]] = {
            "case-id": ids,
            "case-template-id": templates,
            "case-queue-id": queues,
            "account-id": accounts,
            "object-ids": accounts,
            "status": statuses,
            "tag-name": sorted({tag for case in cases for tag in case.tags}),
            "user-email-address": people,
            "creator-email-address": people,
            "attribute": ["created_at", "status", "updated_at"],
            "operator": ["eq", "gt", "lt"],
            "value": ["2025-06-01", *statuses],
            "direction": ["asc", "desc"],
            "after": ids,
            "include": ["", "case-template", "case-comments,accounts"],
        }

    def put_into(self, case: Any) -> None:
        """Change a request of schemathesis, leaving every JSON type as it is."""
        case.path_parameters = {name: self._text(name, value) for name, value in case.path_parameters.items()}
        query = {name: self._text(name.rpartition("[")[2].rstrip("]"), value) for name, value in case.query.items()}
        if zlib.crc32(repr(query).encode()) % _KEPT:
            # Pages are cut in one direction, which no schema says.
            query.pop("page[before]", None)
        case.query = query
        if isinstance(case.body, dict):
            case.body = self._object(case.body)

    def _object(self, members: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in members.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            # Which custom fields a case may have depends on its template.
            return {} if name == "fields" and self._replaces(repr(value)) else self._object(value)
        if isinstance(value, list):
            return [self._value(name, part) for part in value]
        return self._text(name, value)

    def _text(self, name: str, value: Any) -> Any:
        if not isinstance(value, str) or name not in self._known or not self._replaces(value):
            return value
        known = self._known[name]
        return known[zlib.crc32(value.encode("utf-8", "surrogatepass")) % len(known)]

    @staticmethod
    def _replaces(value: str) -> bool:
        return zlib.crc32(b"kept?" + value.encode("utf-8", "surrogatepass")) % _KEPT != 0
