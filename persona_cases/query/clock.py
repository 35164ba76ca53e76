"""The one clock of this room: what "now" is when the caller does not say."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["current_time"]


def current_time() -> datetime:
    """The moment of the call."""
    return datetime.now(UTC)
