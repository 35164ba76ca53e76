"""`Simulator`: the vendor's Cases API as a local server, with its own data, clock and faults."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs
import msgspec

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.query import SearchLimits
from persona_cases.surface import publish
from persona_cases.testing.deliveries.simulated_webhooks import SimulatedWebhooks
from persona_cases.testing.deliveries.webhook_bodies import WebhookBodies
from persona_cases.testing.endpoints.answering import API_ROOT, Endpoints, Gates, InternalFailure, SimulatedApi
from persona_cases.testing.endpoints.case_actions import CaseActions
from persona_cases.testing.endpoints.case_writes import CaseWrites
from persona_cases.testing.endpoints.endpoint_table import CasesEndpoints, TemplateEndpoints
from persona_cases.testing.endpoints.event_endpoints import EventEndpoints
from persona_cases.testing.endpoints.search_index import SearchIndex
from persona_cases.testing.endpoints.served_files import file_answer
from persona_cases.testing.gates.case_quota import CaseQuota, QuotaHeaders, QuotaStatus
from persona_cases.testing.gates.faults import Fault, Faults
from persona_cases.testing.gates.rate_window import FixedWindow, RateLimit
from persona_cases.testing.gates.stored_answers import IdempotencyStore
from persona_cases.testing.http.delivery import Delivery
from persona_cases.testing.http.server import HttpServer, Outcome, nowhere
from persona_cases.testing.http.traffic import Answer, ReceivedRequest, RequestLog
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.factory import DEFAULT_EPOCH, make_world
from persona_cases.testing.world.file_links import FILES_ROOT, FileSigner
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
        if latency < 0 or index_lag < 0:
            raise InvalidArgumentError("latency and index_lag: need to be zero or more seconds")
        if file_token_lifetime <= 0:
            raise InvalidArgumentError("file_token_lifetime: needs to be more than zero seconds")
        if not 0 <= port <= _LAST_PORT:
            raise InvalidArgumentError(f"port: needs to lie between 0 and {_LAST_PORT}")
        self.clock: Clock = clock or SystemClock()
        """What time it is."""
        self._latency = latency
        self._host = host
        self.api_key = api_key
        """The key that requests must carry."""
        self.store: CaseStore = CaseStore(self.clock, seed=seed, tag_cap=tag_cap)
        """The data; change it to set a scene."""
        self.faults: Faults = Faults(seed)
        """What goes wrong."""
        self.requests: RequestLog = RequestLog()
        """What was received."""
        self.idempotency: IdempotencyStore = IdempotencyStore(self.clock)
        """What was answered to requests with an idempotency key."""
        self.store.load(*make_world(cases, seed, epoch))
        self._window = FixedWindow(RateLimit.parse(rate_limit), self.clock)
        quota = RateLimit.parse(case_quota, "case_quota")
        self._quota = CaseQuota(quota, self.clock, quota_headers, quota_status)
        self._signer = FileSigner(self.clock, file_token_lifetime, seed)
        self.events: EventLog = EventLog(self.store, self.clock, seed=seed)
        """What happened."""
        bodies = WebhookBodies(self.store, self._signer, lambda: self.origin)
        self.webhooks: SimulatedWebhooks = SimulatedWebhooks(self.events, bodies, self.clock, seed=seed)
        """Who is told of it."""
        index = SearchIndex(self.store, self.clock, index_lag)
        endpoints = Endpoints(
            CasesEndpoints(self.store, index, limits or SearchLimits(), echo_filters=echo_filters),
            CaseWrites(self.store, self.clock),
            CaseActions(self.store, self.clock),
            TemplateEndpoints(self.store),
            EventEndpoints(self.events, echo_filters=echo_filters),
        )
        gates = Gates(self._window, self.idempotency, self._quota)
        self._api = SimulatedApi(api_key, gates, endpoints, self._signer, seed=seed)
        self._server = HttpServer(self._respond, host, port)
        self._failures: list[Exception] = []
        self._running = False

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
        if self._failures:
            failures, self._failures = self._failures, []
            raise failures[0]

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
        self._window.spend(requests)

    def spend_quota(self, creations: int) -> None:
        """Use up some of the quota of case creation in the same way; nothing happens if there is none."""
        self._quota.spend(creations)

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

    def _respond(self, request: ReceivedRequest, authorization: str | None) -> Outcome:
        request.received_at = self.clock.monotonic()
        request.in_api = request.path.startswith(API_ROOT + "/")
        if request.in_api:
            request.path = request.path.removeprefix(API_ROOT)
        self.requests.record(request)
        try:
            outcome = self._outcome(request, authorization)
        except Exception as error:  # noqa: BLE001 - it is raised again, by `stop`
            self._failures.append(error)
            outcome = Outcome(Answer.json(500, {"errors": [{"title": "Internal server error"}]}, {}), Delivery())
        if not outcome.delivery.unanswered:
            request.status = outcome.answer.status
        return outcome

    def _outcome(self, request: ReceivedRequest, authorization: str | None) -> Outcome:
        fault = self.faults.choose(request)
        if fault is None:
            return Outcome(self._answer(request, authorization), Delivery(delay=self._latency))
        request.fault = fault.name
        answer = self._faulty(fault, request, authorization)
        if fault.alter is not None:
            answer = fault.alter(answer)
        return Outcome(answer, attrs.evolve(fault.delivery, delay=fault.delivery.delay + self._latency))

    def _faulty(self, fault: Fault, request: ReceivedRequest, authorization: str | None) -> Answer:
        if fault.stored and fault.problem is not None:
            return self._api.answer(
                request, authorization, self._origin_for(request), InternalFailure(fault.problem, fault.applied)
            )
        if fault.applied:
            answer = self._answer(request, authorization)
            if fault.problem is None:
                return answer
            body = msgspec.json.encode(fault.problem.document())
            return attrs.evolve(answer, status=fault.problem.status, body=body)
        if fault.problem is None:
            return Answer(502, {}, b"")
        return self._api.refuse(fault.problem)

    def _answer(self, request: ReceivedRequest, authorization: str | None) -> Answer:
        if not request.in_api and request.path.startswith(FILES_ROOT):
            return file_answer(request, self.store, self._signer)
        if not request.in_api:
            return nowhere()
        return self._api.answer(request, authorization, self._origin_for(request))

    def _origin_for(self, request: ReceivedRequest) -> str:
        # Files are where the client found the API, by whatever name: a container has others than it knows of.
        host = request.headers.get("host")
        return f"http://{host}" if host else self.origin


publish("persona_cases.testing", Simulator)
