"""How responses are sent, completely or not."""

from __future__ import annotations

import attrs

from persona_cases.surface import publish

__all__ = ["Delivery"]


@attrs.frozen
class Delivery:
    """How a response is sent. All times are real seconds, whatever the simulator's clock is.

    Attributes:
        delay: seconds to wait before the first byte.
        cut_after: bytes of the body to send before the connection breaks; None sends all. The headers announce the
            whole body.
        unanswered: whether to break the connection without a response.
        reset: whether to reset a broken connection instead of closing it properly.
        announced: the length of the body in the headers. Default: the correct one. The whole body is sent.
        closed_after: whether to close the connection after the response, although the headers promise to keep it open.
        chunk: bytes of the body to send at a time; None sends all at once.
        pause: seconds between chunks, and before bytes beyond the announced length.
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
