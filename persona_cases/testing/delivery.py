"""How answers go onto the wire, whole or not."""

from __future__ import annotations

import attrs

__all__ = ["Delivery"]


@attrs.frozen
class Delivery:
    """How an answer goes onto the wire. All times are real seconds, whatever the simulator's clock is.

    Attributes:
        delay: seconds to wait before the first byte.
        cut_after: bytes of the body to send before the connection is cut; None sends all. The headers
            announce the whole.
        unanswered: cut the connection without any answer.
        chunk: bytes of the body to send at a time; None sends them at once.
        pause: seconds between chunks.
    """

    delay: float = 0.0
    cut_after: int | None = None
    unanswered: bool = False
    chunk: int | None = None
    pause: float = 0.0
