"""One event on its way to one webhook: its attempts, and when the next one is due.

See https://docs.withpersona.com/webhooks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

import attrs

from persona_cases.surface import publish
from persona_cases.testing.deliveries.mishaps import Mishap
from persona_cases.testing.world.case_events import SimulatedEvent

__all__ = ["RETRIES_AFTER", "DeliveryStatus", "WebhookAttempt", "WebhookDelivery"]

DeliveryStatus: TypeAlias = Literal["pending", "delivered", "failed", "cancelled"]

RETRIES_AFTER: Final = (3, 64, 729, 4_096, 15_625, 46_656, 117_649)
"""Seconds between attempts, as documented by the vendor; about 51 hours in total."""

_ACCEPTED: Final = frozenset({200, 201, 202, 204})


@attrs.frozen
class WebhookAttempt:
    """One request to a webhook.

    Attributes:
        at: when it was sent, on the simulator's clock.
        status: the HTTP status of the response; None if there was none.
        error: the type of the error if there was no response, such as `TimeoutError`.
        body: the body that was sent.
        headers: the headers that were sent.
    """

    at: datetime
    status: int | None
    error: str | None = None
    body: bytes = attrs.field(default=b"", repr=False)
    headers: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)

    @property
    def is_accepted(self) -> bool:
        """Whether the vendor accepts the response as a success: only 200, 201, 202 and 204."""
        return self.status in _ACCEPTED


@attrs.define(eq=False, kw_only=True)
class WebhookDelivery:
    """An event on its way to a webhook.

    Attributes:
        event: the event.
        target: the receiver.
        due_at: when the next attempt is due, on the simulator's monotonic clock; None if none follows.
        status: `pending` while attempts follow, then `delivered`, `failed` after eight attempts, or `cancelled`.
        attempts: the attempts so far.
        happened: its mishap, if any.
    """

    event: SimulatedEvent
    target: str
    due_at: float | None
    status: DeliveryStatus = "pending"
    attempts: tuple[WebhookAttempt, ...] = attrs.field(default=(), repr=lambda attempts: f"<{len(attempts)}>")
    happened: Mishap | None = attrs.field(default=None, repr=False)

    @property
    def mishap(self) -> str | None:
        """The name of its mishap."""
        return None if self.happened is None else self.happened.name

    @property
    def attempts_left(self) -> int:
        """Number of automatic attempts that may follow."""
        return max(0, len(RETRIES_AFTER) + 1 - len(self.attempts)) if self.status == "pending" else 0

    def note(self, attempt: WebhookAttempt, now: float) -> None:
        """Record an attempt, and decide whether another follows."""
        self.attempts = (*self.attempts, attempt)
        made = len(self.attempts)
        if attempt.is_accepted:
            self._end("delivered")
        elif made > len(RETRIES_AFTER):
            self._end("failed")
        elif self.status == "pending":
            self.due_at = now + RETRIES_AFTER[made - 1]

    def cancel(self) -> None:
        """Cancel further attempts, as if the webhook were disabled."""
        if self.status == "pending":
            self._end("cancelled")

    def _end(self, status: DeliveryStatus) -> None:
        self.status, self.due_at = status, None


publish("persona_cases.testing", WebhookAttempt, WebhookDelivery)
