"""`SimulatorServer`: a simulator in its own thread, for tests that block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from persona_cases.errors import ClientStateError
from persona_cases.surface import publish
from persona_cases.testing.deliveries.mishaps import Mishaps
from persona_cases.testing.deliveries.simulated_webhook import SimulatedWebhook
from persona_cases.testing.deliveries.webhook_delivery import WebhookDelivery
from persona_cases.testing.deliveries.webhook_targets import ASGIApp, WebClient
from persona_cases.testing.gates.faults import Faults
from persona_cases.testing.gates.stored_answers import IdempotencyStore
from persona_cases.testing.http.traffic import RequestLog
from persona_cases.testing.simulator import Simulator
from persona_cases.testing.thread_proxy import LoopThread, ThreadProxy
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore

if TYPE_CHECKING:
    from persona_cases.client import PersonaClient

__all__ = ["ServerWebhooks", "SimulatorServer"]


class ServerWebhooks:
    """The webhooks of a `SimulatorServer`, for callers that block.

    Args:
        thread: the thread of the simulator.
        simulator: the simulator.
    """

    def __init__(self, thread: LoopThread, simulator: Simulator) -> None:
        self._webhooks: Any = ThreadProxy(thread, lambda: simulator.webhooks)

    def __repr__(self) -> str:
        return repr(self._webhooks)

    @property
    def mishaps(self) -> Mishaps:
        """The scripted mishaps of deliveries."""
        return cast("Mishaps", self._webhooks.mishaps)

    @property
    def deliveries(self) -> tuple[WebhookDelivery, ...]:
        """The deliveries of all webhooks, in the order of their events."""
        return cast("tuple[WebhookDelivery, ...]", self._webhooks.deliveries)

    def deliver_to(
        self, target: str | ASGIApp | WebClient, *, secret: str, path: str | None = None, **settings: Any
    ) -> SimulatedWebhook:
        """Deliver future events to a webhook.

        Args:
            target: a URL, or the sync `TestClient` of an application. An ASGI application is called in the simulator's
                thread, which does not work for applications with their own client.
            secret: the secret that signs the deliveries.
            path: the path of the route in an application.
            settings: the other arguments of `SimulatedWebhooks.deliver_to`.

        Returns:
            The webhook, with its deliveries.

        Raises:
            InvalidArgumentError: if an argument is invalid.
        """
        return cast("SimulatedWebhook", self._webhooks.deliver_to(target, secret=secret, path=path, **settings))

    @contextmanager
    def reordered(self) -> Generator[None]:
        """Hold back the events inside the block, and deliver them at its end, newest first."""
        with self._webhooks.reordered():
            yield

    def drain(self, timeout: float | timedelta | None = None) -> bool:
        """Wait until nothing is being sent and nothing is due.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Returns:
            True if nothing is left.
        """
        return bool(self._webhooks.drain(timeout))


class SimulatorServer:
    """A `Simulator` in its own thread.

    A simulator in the event loop of a test cannot respond while the test blocks that loop, as FastAPI's `TestClient`
    and any sync client do. This one can, and can be read and changed from any thread::

        with SimulatorServer(cases=10) as server:
            server.store.create_case("KYC")

    Args:
        settings: the arguments of `Simulator`.

    Raises:
        InvalidArgumentError: if an argument is out of range.
    """

    def __init__(self, **settings: Any) -> None:
        self._simulator = Simulator(**settings)
        self._thread: LoopThread | None = None

    def __repr__(self) -> str:
        return f"<SimulatorServer of {self._simulator!r}>"

    @property
    def base_url(self) -> str:
        """The `base_url` for clients.

        Raises:
            ClientStateError: if the server is not running.
        """
        return self._simulator.base_url

    @property
    def origin(self) -> str:
        """Scheme, host and port; see `base_url`."""
        return self._simulator.origin

    @property
    def api_key(self) -> str:
        """The key that requests must send."""
        return self._simulator.api_key

    @property
    def clock(self) -> Clock:
        """The clock; a `ManualClock` can be advanced from any thread."""
        return self._simulator.clock

    @property
    def store(self) -> CaseStore:
        """The data; change it to prepare a test."""
        return cast("CaseStore", self._proxy("store"))

    @property
    def faults(self) -> Faults:
        """The scripted faults."""
        return cast("Faults", self._proxy("faults"))

    @property
    def requests(self) -> RequestLog:
        """The requests received so far."""
        return cast("RequestLog", self._proxy("requests"))

    @property
    def events(self) -> EventLog:
        """The events so far."""
        return cast("EventLog", self._proxy("events"))

    @property
    def idempotency(self) -> IdempotencyStore:
        """The stored responses to requests with an idempotency key."""
        return cast("IdempotencyStore", self._proxy("idempotency"))

    @property
    def webhooks(self) -> ServerWebhooks:
        """The webhooks that receive the events."""
        return ServerWebhooks(self._running(), self._simulator)

    def start(self) -> None:
        """Start to serve requests.

        Raises:
            InvalidArgumentError: if the address cannot be listened on.
            ClientStateError: if it is already running.
        """
        thread = self._thread or LoopThread()
        try:
            thread.wait_for(self._simulator.start)
        except BaseException:
            if self._thread is None:
                thread.stop()
            raise
        self._thread = thread

    def stop(self) -> None:
        """Close all connections and stop; harmless if it is not running.

        Raises:
            Exception: the first error that a function of a scripted fault raised, if any.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            thread.wait_for(self._simulator.stop)
        finally:
            thread.stop()

    def reset(self, **settings: Any) -> None:
        """Start over with new data, faults, webhooks and records, at the same address.

        Args:
            settings: arguments of `Simulator` that replace the original ones until the next reset, except `host` and
                `port`.

        Raises:
            Exception: the first error that a function of a scripted fault raised, if any.
            InvalidArgumentError: if a setting is out of range.
        """
        self._running().wait_for(lambda: self._simulator.reset(**settings))

    def client(self, **settings: Any) -> PersonaClient:
        """Make a client for this server, for the event loop of the caller; see `Simulator.client`.

        Args:
            settings: arguments of `PersonaClient`.

        Returns:
            The client.
        """
        return self._simulator.client(**settings)

    def spend(self, requests: int) -> None:
        """Use up requests of the current rate limit window, like another client of the same environment.

        Args:
            requests: number of requests.
        """
        self._running().run(lambda: self._simulator.spend(requests))

    def spend_quota(self, creations: int) -> None:
        """Use up creations of the current quota window in the same way; has no effect without a quota.

        Args:
            creations: number of creations.
        """
        self._running().run(lambda: self._simulator.spend_quota(creations))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> LoopThread:
        if self._thread is None:
            raise ClientStateError("the simulator does not run: use `with SimulatorServer(...) as server`")
        return self._thread

    def _proxy(self, name: str) -> ThreadProxy:
        return ThreadProxy(self._running(), lambda: getattr(self._simulator, name))


publish("persona_cases.testing", ServerWebhooks, SimulatorServer)
