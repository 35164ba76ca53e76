"""`sim.webhooks`: the webhooks that receive the events of a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import get_ident

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.protocol import checks
from persona_cases.surface import publish
from persona_cases.testing.deliveries.mishaps import Mishaps
from persona_cases.testing.deliveries.simulated_webhook import SimulatedWebhook, WebhookSettings
from persona_cases.testing.deliveries.webhook_bodies import BodyStyle, WebhookBodies
from persona_cases.testing.deliveries.webhook_delivery import WebhookDelivery
from persona_cases.testing.deliveries.webhook_targets import ASGIApp, WebClient, target_of
from persona_cases.testing.http.inflection import Inflection
from persona_cases.testing.world.case_events import SimulatedEvent
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.simulated_clock import Clock, ManualClock

__all__ = ["SimulatedWebhooks"]

_ANSWER_WITHIN = 5.0
"""Seconds that the vendor waits for a response."""


class SimulatedWebhooks:
    """Delivers the events of a simulator to webhooks.

    Retries follow the vendor's schedule: 3, 64, 729, 4,096, 15,625, 46,656 and 117,649 seconds after the previous
    attempt, on the simulator's clock. With a `ManualClock`, tests need not wait for them::

        webhook = sim.webhooks.deliver_to("http://127.0.0.1:8000/webhooks/persona", secret="wbhsec_test")
        sim.store.update_case(case_id, status="approved")
        await sim.webhooks.drain()
        sim.clock.advance(3)

    Args:
        events: the events.
        bodies: writes the bodies of deliveries.
        clock: the clock that decides when deliveries are due.
        seed: determines the outcome of mishaps with a probability.
    """

    def __init__(self, events: EventLog, bodies: WebhookBodies, clock: Clock, *, seed: int = 0) -> None:
        self._events = events
        self._bodies = bodies
        self._clock = clock
        self.mishaps: Mishaps = Mishaps(seed)
        """The scripted mishaps of deliveries."""
        self._webhooks: list[SimulatedWebhook] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._held: list[SimulatedEvent] | None = None
        self._loop: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._moved = asyncio.Event()
        events.tells(self._deliver)
        if isinstance(clock, ManualClock):
            clock.wakes(self)

    def __repr__(self) -> str:
        return f"<SimulatedWebhooks: {self._webhooks!r}>"

    @property
    def deliveries(self) -> tuple[WebhookDelivery, ...]:
        """The deliveries of all webhooks, in the order of their events."""
        found = (delivery for webhook in self._webhooks for delivery in webhook.deliveries)
        return tuple(sorted(found, key=lambda delivery: delivery.event.number))

    def deliver_to(
        self,
        target: str | ASGIApp | WebClient,
        *,
        secret: str,
        path: str | None = None,
        events: str | Collection[str] = "*",
        include: Collection[str] = (),
        key_inflection: Inflection = "kebab",
        version: str = "2025-12-08",
        headers: Mapping[str, str] | None = None,
        timeout: float | timedelta = _ANSWER_WITHIN,
    ) -> SimulatedWebhook:
        """Deliver future events to a webhook.

        Args:
            target: a URL; an ASGI application, which is called in the event loop of the simulator; or the test client
                of an application.
            secret: the secret that signs the deliveries, such as `wbhsec_test`.
            path: the path of the route in an application.
            events: names of events, or patterns such as `case.*`.
            include: relationships of cases whose objects to include; new webhooks of the vendor include none.
            key_inflection: the spelling of names: `kebab`, `snake` or `camel`.
            version: the API version in which cases are written.
            headers: additional headers of each request.
            timeout: maximum real seconds for a response, or a timedelta; the vendor waits 5 seconds.

        Returns:
            The webhook, with its deliveries.

        Raises:
            InvalidArgumentError: if an argument is invalid.
        """
        names = (events,) if isinstance(events, str) else tuple(events)
        if not names:
            raise InvalidArgumentError("events must be names of events, such as 'case.*'")
        style = BodyStyle(tuple(include), key_inflection, version)
        settings = WebhookSettings(
            events=names,
            headers=headers or {},
            timeout=checks.seconds(timeout, "timeout"),
            render=self._bodies.styled(style),
        )
        webhook = SimulatedWebhook(target_of(target, path), secret, settings, self._clock, self._progress)
        self._webhooks.append(webhook)
        if self._loop is not None:
            self._tasks.append(asyncio.create_task(webhook.run(self._patience)))
        return webhook

    @contextmanager
    def reordered(self) -> Generator[None]:
        """Hold back the events inside the block, and deliver them at its end, newest first."""
        self._held = held = list[SimulatedEvent]()
        try:
            yield
        finally:
            self._held = None
            for event in reversed(held):
                self._deliver(event)

    async def drain(self, timeout: float | timedelta | None = None) -> bool:  # noqa: ASYNC109 - as in PersonaClient
        """Wait until nothing is being sent and nothing is due, not counting later retries.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Returns:
            True if nothing is left.

        Raises:
            ClientStateError: if the simulator is not running.
        """
        if self._loop is None:
            raise ClientStateError("the simulator does not run: use `async with Simulator(...) as sim`")
        patience = None if timeout is None else checks.seconds(timeout, "timeout", least=0)
        self._events.look_at_clock()
        try:
            async with asyncio.timeout(patience):
                while any(webhook.is_busy for webhook in self._webhooks):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def recheck(self) -> None:
        """Read the clock again; callable from any thread."""
        if self._loop is None or self._loop[1] == get_ident():
            self._look()
        else:
            self._loop[0].call_soon_threadsafe(self._look)

    def start(self) -> None:
        """Start delivering; called by the simulator."""
        self._loop = asyncio.get_running_loop(), get_ident()
        self._moved = asyncio.Event()
        self._tasks = [asyncio.create_task(webhook.run(self._patience)) for webhook in self._webhooks]

    async def stop(self) -> None:
        """Stop delivering; pending deliveries stay pending until the next start."""
        tasks, self._tasks, self._loop = self._tasks, [], None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self) -> None:
        self._events.look_at_clock()
        for webhook in self._webhooks:
            webhook.wake()

    def _progress(self) -> None:
        self._moved.set()

    def _deliver(self, event: SimulatedEvent) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        mishap = self.mishaps.choose(event.name) if self._webhooks else None
        for webhook in self._webhooks:
            webhook.put(event, mishap)

    def _patience(self, due: float | None) -> float | None:
        """Return the real seconds until something is due; None if only `recheck` can tell."""
        if isinstance(self._clock, ManualClock):
            return None
        self._events.look_at_clock()
        waits = [] if due is None else [due - self._clock.monotonic()]
        if (deadline := self._events.next_deadline) is not None:
            waits.append((deadline - self._clock.now()).total_seconds())
        return max(0.0, min(waits)) if waits else None


publish("persona_cases.testing", SimulatedWebhooks)
