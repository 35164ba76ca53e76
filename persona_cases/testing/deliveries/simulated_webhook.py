"""One webhook of a simulator: its secrets, what it is sent, and what became of that."""

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
    """What a webhook is set to.

    Attributes:
        events: patterns of the names of the events that are sent.
        headers: more headers of each request.
        timeout: real seconds that an answer may take.
        render: writes the body for an event.
    """

    events: tuple[str, ...]
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout: float
    render: Callable[[SimulatedEvent], bytes] = attrs.field(repr=False)


class SimulatedWebhook:
    """A webhook of a simulator; `sim.webhooks.deliver_to` makes one.

    It sends one delivery at a time, so that tests have the order that they ask for.

    Args:
        target: where deliveries go.
        secret: signs them.
        settings: what is sent, and how.
        clock: says when deliveries are due.
        progress: called when something was sent.
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
        """All deliveries, in the order in which they were first due."""
        return tuple(self._deliveries)

    def disable(self) -> None:
        """Send nothing more, and cancel what is pending."""
        self._enabled = False
        for delivery in self._deliveries:
            delivery.cancel()
        self._progress()

    def enable(self) -> None:
        """Send events from now on; what was cancelled stays so."""
        self._enabled = True

    def rotate_secret(self, secret: str, *, expires_in: float | timedelta = 0.0) -> None:
        """Sign with another secret.

        Args:
            secret: the new secret.
            expires_in: how long the old ones sign as well: seconds on the simulator's clock, or a timedelta.

        Raises:
            InvalidArgumentError: an argument is invalid.
        """
        new = _secret(secret)
        end = self._clock.monotonic() + checks.seconds(expires_in, "expires_in", least=0)
        kept = [(old, end if last is None else min(last, end)) for old, last in self._secrets]
        self._secrets = [(new, None), *kept]

    def resend(self, delivery: WebhookDelivery) -> None:
        """Send a delivery once more, as the vendor's dashboard does on request."""
        self._schedule(delivery, self._clock.monotonic())

    def put(self, event: SimulatedEvent, mishap: Mishap | None) -> None:
        """Deliver an event, if it is one of those that are wanted."""
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
        """Whether something is being sent, or due."""
        return self._sending > 0 or (self.next_due is not None and self.next_due <= self._clock.monotonic())

    @property
    def next_due(self) -> float | None:
        """When the next attempt is due, on the monotonic clock; None if none is."""
        while self._due and self._due[0][2].due_at != self._due[0][0]:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def wake(self) -> None:
        """Look again at what is due; from any thread."""
        if self._loop is None or self._woken is None:
            return
        loop, thread = self._loop
        if thread == get_ident():
            self._woken.set()
        else:
            loop.call_soon_threadsafe(self._woken.set)

    async def run(self, patience: Callable[[float | None], float | None]) -> None:
        """Send what is due, until cancelled.

        Args:
            patience: how many real seconds may pass until something is due; None for as long as nobody wakes it.
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
        """The delivery that is due first, with its copies that are due at the same time; None if none is due."""
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
            # The simulator stops: after the next start, this is due still.
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
        # What is sent again is the same, byte for byte.
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
        # Whoever checks it compares it with the time of their machine, whatever the simulator's clock shows.
        at = int(time.time() - (0.0 if mishap is None else mishap.age))
        return " ".join(f"t={at},v1={_digest(secret, at, body)}" for secret in secrets)


def _secret(secret: object) -> bytes:
    if not isinstance(secret, str) or not secret.strip() or not secret.isascii():
        raise InvalidArgumentError("secret: needs to be a text of ASCII characters, such as wbhsec_...")
    return secret.encode()


def _digest(secret: bytes, at: int, body: bytes) -> str:
    # On its own, so that a mistake of the verifier is not repeated by its judge.
    return hmac.digest(secret, b"%d.%b" % (at, body), hashlib.sha256).hex()


async def _wait(woken: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass


publish("persona_cases.testing", SimulatedWebhook)
