"""How answers go onto the wire, whole or not."""

from __future__ import annotations

import attrs

from persona_cases.surface import publish

__all__ = ["Delivery"]


@attrs.frozen
class Delivery:
    """How an answer goes onto the wire. All times are real seconds, whatever the simulator's clock is.

    Attributes:
        delay: seconds to wait before the first byte.
        cut_after: bytes of the body to send before the connection is cut; None sends all. The headers
            announce the whole.
        unanswered: cut the connection without any answer.
        reset: where the connection is cut, reset it instead of closing it in good order.
        announced: the length of the body that the headers tell; the right one, if left out. The whole body is sent.
        closed_after: close the connection after the whole answer, though the headers promise to keep it open.
        chunk: bytes of the body to send at a time; None sends them at once.
        pause: seconds between chunks, and before what is sent beyond the announced length.
    """

    delay: float = 0.0
    cut_after: int | None = None
    unanswered: bool = False
    reset: bool = False
    announced: int | None = None
    closed_after: bool = False
    chunk: int | None = None
    pause: float = 0.0


publish("persona_cases.testing", Delivery)
