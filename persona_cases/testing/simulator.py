"""`Simulator`: the vendor's Cases API as a local server, with its own data, clock and faults."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.query import SearchLimits
from persona_cases.surface import publish
from persona_cases.testing.deliveries.simulated_webhooks import SimulatedWebhooks
from persona_cases.testing.endpoints.answering import API_ROOT
from persona_cases.testing.gates.case_quota import QuotaHeaders, QuotaStatus
from persona_cases.testing.gates.faults import Faults
from persona_cases.testing.gates.rate_window import RateLimit
from persona_cases.testing.gates.stored_answers import IdempotencyStore
from persona_cases.testing.http.delivery import Delivery
from persona_cases.testing.http.server import HttpServer, Outcome
from persona_cases.testing.http.traffic import Answer, ReceivedRequest, RequestLog
from persona_cases.testing.simulated_account import AccountSettings, SimulatedAccount
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.factory import DEFAULT_EPOCH
from persona_cases.testing.world.simulated_clock import Clock, SystemClock
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.tag_names import DEFAULT_TAG_CAP

if TYPE_CHECKING:
    from persona_cases.client import PersonaClient

__all__ = ["DEFAULT_API_KEY", "Simulator"]

DEFAULT_API_KEY = "persona_sandbox_simulator"
_LAST_PORT = 65_535
# What listens everywhere is found on this machine, among other places.
_FOUND_AT = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104


class Simulator:
    """A stateful stand-in for the Cases API on a local port; nothing is shared between two of them.

    Use it as an asynchronous context manager, or call `start` and `stop`::

        async with Simulator(cases=1000, seed=7) as sim, sim.client() as client:
            ...

    It holds requests to the documented contract (https://docs.withpersona.com/api-reference), and takes the stricter
    reading where that is silent: parameters and bodies are closed, searches are checked against `limits`, links repeat
    no filters.

    Args:
        cases: how many cases to begin with, made by `CaseFactory`.
        seed: decides all that looks random: cases, ids and faults with a probability.
        api_key: the key that requests must carry.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        rate_limit: `"REQUESTS/SECONDS"` such as `"300/60"`, a `RateLimit`, or `"off"` or None for no limit.
        latency: seconds of real time that every answer takes longer.
        index_lag: seconds until searches see a change; listing and single cases see it at once.
        clock: what time it is; a `ManualClock` makes rate limit windows and the index lag testable.
        epoch: the aware time at which the story of the generated cases ends.
        limits: how deep and wide a search may be.
        echo_filters: whether `links` repeat filters and fieldsets.
        case_quota: how many creations of cases a window allows, in the forms of `rate_limit`; no quota by default.
        quota_headers: what the headers of the quota begin with: the vendor writes `Quota-Limit`, and elsewhere
            `QuotaLimit-Limit`.
        quota_status: what a creation over the quota is answered, 429 or 403: the vendor speaks of both.
        tag_cap: how many tags the organisation may have.
        file_token_lifetime: seconds that the URL of an attached file can be used.

    Raises:
        InvalidArgumentError: an argument is out of range.
    """

    def __init__(
        self,
        *,
        cases: int = 100,
        seed: int = 0,
        api_key: str = DEFAULT_API_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
        rate_limit: RateLimit | str | None = None,
        latency: float = 0.0,
        index_lag: float = 0.0,
        clock: Clock | None = None,
        epoch: datetime = DEFAULT_EPOCH,
        limits: SearchLimits | None = None,
        echo_filters: bool = False,
        case_quota: RateLimit | str | None = None,
        quota_headers: QuotaHeaders = "Quota",
        quota_status: QuotaStatus = 429,
        tag_cap: int = DEFAULT_TAG_CAP,
        file_token_lifetime: float = 21_600.0,
    ) -> None:
        if not 0 <= port <= _LAST_PORT:
            raise InvalidArgumentError(f"port: needs to lie between 0 and {_LAST_PORT}")
        self._settings = AccountSettings(
            cases=cases,
            seed=seed,
            api_key=api_key,
            rate_limit=rate_limit,
            latency=latency,
            index_lag=index_lag,
            clock=clock or SystemClock(),
            epoch=epoch,
            limits=limits or SearchLimits(),
            echo_filters=echo_filters,
            case_quota=case_quota,
            quota_headers=quota_headers,
            quota_status=quota_status,
            tag_cap=tag_cap,
            file_token_lifetime=file_token_lifetime,
        )
        self._account = SimulatedAccount(self._settings, lambda: self.origin)
        self._host = host
        self._server = HttpServer(self._respond, host, port)
        self._failures: list[Exception] = []
        self._running = False

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self._account.settings.clock

    @property
    def api_key(self) -> str:
        """The key that requests must carry."""
        return self._account.settings.api_key

    @property
    def store(self) -> CaseStore:
        """The data; change it to set a scene."""
        return self._account.store

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self._account.faults

    @property
    def requests(self) -> RequestLog:
        """What was received."""
        return self._account.requests

    @property
    def idempotency(self) -> IdempotencyStore:
        """What was answered to requests with an idempotency key."""
        return self._account.idempotency

    @property
    def events(self) -> EventLog:
        """What happened."""
        return self._account.events

    @property
    def webhooks(self) -> SimulatedWebhooks:
        """Who is told of it."""
        return self._account.webhooks

    @property
    def origin(self) -> str:
        """Scheme, host and port.

        Raises:
            ClientStateError: the simulator does not run.
        """
        if not self._running:
            raise ClientStateError("the simulator does not run: use `async with Simulator(...) as sim`")
        host = _FOUND_AT.get(self._host, self._host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._server.port}"

    @property
    def base_url(self) -> str:
        """What to give the client as `base_url`.

        Raises:
            ClientStateError: the simulator does not run.
        """
        return self.origin + API_ROOT

    async def start(self) -> None:
        """Begin to answer requests; after `stop`, on the same port and with the same data.

        Raises:
            InvalidArgumentError: the address cannot be listened on.
            ClientStateError: it runs already.
        """
        if self._running:
            raise ClientStateError("the simulator runs already")
        await self._server.start()
        self._running = True
        self.webhooks.start()

    async def stop(self) -> None:
        """Close all connections and stop; harmless if it does not run.

        Raises:
            Exception: the first that a function of a scripted fault raised, if any did.
        """
        await self.webhooks.stop()
        await self._server.stop()
        self._running = False
        self._raise_failure()

    async def reset(self, **settings: Any) -> None:
        """Begin again with other data, faults, webhooks and records, at the same address.

        Args:
            settings: arguments of `Simulator` that replace the first ones until the next reset; not `host` or `port`.

        Raises:
            Exception: the first that a function of a scripted fault raised, if any did.
            InvalidArgumentError: a setting is out of range.
        """
        account = SimulatedAccount(attrs.evolve(self._settings, **settings), lambda: self.origin)
        await self.webhooks.stop()
        self._account = account
        if self._running:
            self.webhooks.start()
        self._raise_failure()

    def client(self, **settings: Any) -> PersonaClient:
        """Make a client of this simulator; close it, or use it with `async with`.

        Its limiters follow the simulator's clock if that is a `ManualClock`.

        Args:
            settings: arguments of `PersonaClient`, such as `max_wait=5`.

        Returns:
            The client.

        Raises:
            ClientStateError: the simulator does not run.
            InvalidArgumentError: a setting cannot work.
        """
        # Whoever only serves needs no client.
        from persona_cases.testing.clients import client_of  # noqa: PLC0415

        return client_of(self.api_key, self.base_url, self.clock, settings)

    def spend(self, requests: int) -> None:
        """Use up some of the rate limit's window, as a stranger with a key of the same environment would."""
        self._account.window.spend(requests)

    def spend_quota(self, creations: int) -> None:
        """Use up some of the quota of case creation in the same way; nothing happens if there is none."""
        self._account.quota.spend(creations)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        where = self.base_url if self._running else "not running"
        return f"<Simulator {where}, {len(self.store.cases)} cases>"

    def _raise_failure(self) -> None:
        failures, self._failures = self._failures, []
        if failures:
            raise failures[0]

    def _respond(self, request: ReceivedRequest, authorization: str | None) -> Outcome:
        try:
            outcome = self._account.outcome(request, authorization)
        except Exception as error:  # noqa: BLE001 - it is raised again, by `stop` or `reset`
            self._failures.append(error)
            outcome = Outcome(Answer.json(500, {"errors": [{"title": "Internal server error"}]}, {}), Delivery())
        if not outcome.delivery.unanswered:
            request.status = outcome.answer.status
        return outcome


publish("persona_cases.testing", Simulator)
