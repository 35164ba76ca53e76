"""Deliveries as Persona would send them."""

from __future__ import annotations

from typing import Any

import msgspec

CASE: dict[str, Any] = {
    "type": "case",
    "id": "case_1",
    "attributes": {"status": "open", "updated-at": "2026-01-01T09:00:00.000Z", "fields": {"a": 1}},
}


def delivery(name: str = "case.created", id: str = "evt_1", **attributes: Any) -> bytes:
    """The body of a delivery in kebab-case."""
    told = {"name": name, "created-at": "2026-01-01T09:00:00.000Z", "payload": {"data": CASE}, **attributes}
    return msgspec.json.encode({"data": {"type": "event", "id": id, "attributes": told}})
