"""One webhook of a simulator: its secrets and its deliveries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from heapq import heappop, heappush
from itertools import count
from threading import get_ident
from typing import Final

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol import checks
from persona_cases.surface import publish
from persona_cases.testing.deliveries.mishaps import Mishap
from persona_cases.testing.deliveries.webhook_delivery import WebhookAttempt, WebhookDelivery
from persona_cases.testing.deliveries.webhook_targets import WebhookTarget
from persona_cases.testing.world.case_events import SimulatedEvent
from persona_cases.testing.world.simulated_clock import Clock

__all__ = ["SimulatedWebhook", "WebhookSettings"]

_FORGER: Final = b"wbhsec_nobody_knows"


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """The settings of a webhook.

    Attributes:
        events: patterns for the names of the events to send.
        headers: additional headers of each request.
        timeout: maximum real seconds for a response.
        render: writes the body for an event.
    """

    events: tuple[str, ...]
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout: float
    render: Callable[[SimulatedEvent], bytes] = attrs.field(repr=False)


class SimulatedWebhook:
    """A webhook of a simulator; `sim.webhooks.deliver_to` makes one.

    It sends one delivery at a time, so that tests get the order that they expect.

    Args:
        target: the receiver of deliveries.
        secret: the secret that signs them.
        settings: the settings of the webhook.
        clock: the clock that decides when deliveries are due.
        progress: called after something was sent.
    """

    def __init__(
        self,
        target: WebhookTarget,
        secret: str,
        settings: WebhookSettings,
        clock: Clock,
        progress: Callable[[], object],
    ) -> None:
        self._target = target
        self._settings = settings
        self._clock = clock
        self._progress = progress
        self._secrets: list[tuple[bytes, float | None]] = [(_secret(secret), None)]
        self._deliveries: list[WebhookDelivery] = []
        self._due: list[tuple[float, int, WebhookDelivery]] = []
        self._numbers = count()
        self._bodies: dict[str, bytes] = {}
        self._sending = 0
        self._enabled = True
        self._woken: asyncio.Event | None = None
        self._loop: tuple[asyncio.AbstractEventLoop, int] | None = None

    def __repr__(self) -> str:
        return f"<SimulatedWebhook to {self._target.label}, {len(self._deliveries)} deliveries>"

    @property
    def deliveries(self) -> tuple[WebhookDelivery, ...]:
        """All deliveries, in the order of their first due times."""
        return tuple(self._deliveries)

    def disable(self) -> None:
        """Send nothing more, and cancel pending deliveries."""
        self._enabled = False
        for delivery in self._deliveries:
            delivery.cancel()
        self._progress()

    def enable(self) -> None:
        """Send future events; cancelled deliveries stay cancelled."""
        self._enabled = True

    def rotate_secret(self, secret: str, *, expires_in: float | timedelta = 0.0) -> None:
        """Sign with another secret.

        Args:
            secret: the new secret.
            expires_in: how long the old secrets also sign: seconds on the simulator's clock, or a timedelta.

        Raises:
            InvalidArgumentError: if an argument is invalid.
        """
        new = _secret(secret)
        end = self._clock.monotonic() + checks.seconds(expires_in, "expires_in", least=0)
        kept = [(old, end if last is None else min(last, end)) for old, last in self._secrets]
        self._secrets = [(new, None), *kept]

    def resend(self, delivery: WebhookDelivery) -> None:
        """Send a delivery again, as the vendor's dashboard can.

        Args:
            delivery: the delivery.
        """
        self._schedule(delivery, self._clock.monotonic())

    def put(self, event: SimulatedEvent, mishap: Mishap | None) -> None:
        """Deliver an event, if it matches the webhook's patterns."""
        if not self._enabled or not any(fnmatchcase(event.name, name) for name in self._settings.events):
            return
        how = mishap or Mishap(name="")
        now = self._clock.monotonic() + how.delay
        for copy in range(how.copies):
            delivery = WebhookDelivery(event=event, target=self._target.label, due_at=None, happened=mishap)
            self._deliveries.append(delivery)
            self._schedule(delivery, now + copy * how.apart)

    @property
    def is_busy(self) -> bool:
        """Whether something is being sent or is due."""
        return self._sending > 0 or (self.next_due is not None and self.next_due <= self._clock.monotonic())

    @property
    def next_due(self) -> float | None:
        """When the next attempt is due, on the monotonic clock; None if none is due."""
        while self._due and self._due[0][2].due_at != self._due[0][0]:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def wake(self) -> None:
        """Check again what is due; callable from any thread."""
        if self._loop is None or self._woken is None:
            return
        loop, thread = self._loop
        if thread == get_ident():
            self._woken.set()
        else:
            loop.call_soon_threadsafe(self._woken.set)

    async def run(self, patience: Callable[[float | None], float | None]) -> None:
        """Send due deliveries until cancelled.

        Args:
            patience: returns the real seconds until something is due; None to wait until woken.
        """
        woken = self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop(), get_ident()
        try:
            while True:
                woken.clear()
                if (due := self._take()) is None:
                    await _wait(woken, patience(self.next_due))
                    continue
                await asyncio.gather(*(self._send(delivery) for delivery in due))
        finally:
            self._loop = None
            await self._target.close()

    def _schedule(self, delivery: WebhookDelivery, when: float) -> None:
        delivery.due_at = when
        heappush(self._due, (when, next(self._numbers), delivery))
        self.wake()

    def _take(self) -> list[WebhookDelivery] | None:
        """Return the delivery that is due first, with its copies due at the same time; None if none is due."""
        if not self.is_busy:
            return None
        when, _, first = heappop(self._due)
        taken = [first]
        while self.next_due == when and self._due[0][2].event is first.event:
            taken.append(heappop(self._due)[2])
        return taken

    async def _send(self, delivery: WebhookDelivery) -> None:
        body, headers = self._request(delivery)
        status: int | None = None
        failure: str | None = None
        self._sending += 1
        try:
            async with asyncio.timeout(self._settings.timeout):
                status = await self._target.post(body, headers)
        except Exception as error:  # noqa: BLE001 - whatever an application raises, the vendor tries again
            failure = type(error).__name__
        except asyncio.CancelledError:
            # The simulator stops, but this delivery stays due after the next start.
            if delivery.due_at is not None:
                self._schedule(delivery, delivery.due_at)
            raise
        finally:
            self._sending -= 1
        attempt = WebhookAttempt(self._clock.now(), status, failure, body, headers)
        delivery.note(attempt, self._clock.monotonic())
        if delivery.due_at is not None:
            self._schedule(delivery, delivery.due_at)
        self._progress()

    def _request(self, delivery: WebhookDelivery) -> tuple[bytes, dict[str, str]]:
        event = delivery.event
        # A repeated delivery is identical, byte for byte.
        if (body := self._bodies.get(event.id)) is None:
            body = self._bodies[event.id] = self._settings.render(event)
        made = len(delivery.attempts)
        mishap = delivery.happened if made == 0 else None
        first = delivery.attempts[0].at if made else self._clock.now()
        headers = {
            "Content-Type": "application/json",
            **self._settings.headers,
            "Persona-Webhook-Attempts-Made": str(made + 1),
            "Persona-Webhook-Attempts-Left": str(max(0, delivery.attempts_left - 1)),
            "Persona-Webhook-First-Attempted-At": str(int(first.timestamp())),
        }
        flaw = None if mishap is None else mishap.flaw
        if flaw != "missing":
            headers["Persona-Signature"] = self._signature(body, mishap)
        return body + b" " if flaw == "altered body" else body, headers

    def _signature(self, body: bytes, mishap: Mishap | None) -> str:
        if mishap is not None and mishap.flaw == "malformed":
            return "v1"
        now = self._clock.monotonic()
        secrets: Iterator[bytes] = (secret for secret, end in self._secrets if end is None or now < end)
        if mishap is not None and mishap.flaw == "forged":
            secrets = iter([_FORGER])
        # Receivers compare it with their machine's time, whatever the simulator's clock shows.
        at = int(time.time() - (0.0 if mishap is None else mishap.age))
        return " ".join(f"t={at},v1={_digest(secret, at, body)}" for secret in secrets)


def _secret(secret: object) -> bytes:
    if not isinstance(secret, str) or not secret.strip() or not secret.isascii():
        raise InvalidArgumentError("secret must be a string of ASCII characters, such as wbhsec_...")
    return secret.encode()


def _digest(secret: bytes, at: int, body: bytes) -> str:
    # Implemented separately, so that it does not share a mistake of the verifier.
    return hmac.digest(secret, b"%d.%b" % (at, body), hashlib.sha256).hex()


async def _wait(woken: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass


publish("persona_cases.testing", SimulatedWebhook)
