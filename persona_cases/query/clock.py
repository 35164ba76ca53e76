"""The one clock of this room: what `Field.within` calls "now" when its caller does not say."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["current_time"]


def current_time() -> datetime:
    """The moment of the call. Nothing but the default of `within(now=)` asks for it."""
    return datetime.now(UTC)
