"""A simulated account with the vendor: its data, limits, faults and responses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.query import SearchLimits
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
from persona_cases.testing.http.server import Outcome, nowhere
from persona_cases.testing.http.traffic import Answer, ReceivedRequest, RequestLog
from persona_cases.testing.world.event_log import EventLog
from persona_cases.testing.world.factory import make_world
from persona_cases.testing.world.file_links import FILES_ROOT, FileSigner
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore

__all__ = ["AccountSettings", "SimulatedAccount"]


@attrs.frozen(kw_only=True)
class AccountSettings:
    """The arguments of `Simulator` that are not about its address; see `Simulator`.

    Raises:
        InvalidArgumentError: if one of them is out of range.
    """

    cases: int
    seed: int
    api_key: str
    rate_limit: RateLimit | str | None
    latency: float
    index_lag: float
    clock: Clock
    epoch: datetime
    limits: SearchLimits
    echo_filters: bool
    case_quota: RateLimit | str | None
    quota_headers: QuotaHeaders
    quota_status: QuotaStatus
    tag_cap: int
    file_token_lifetime: float

    def __attrs_post_init__(self) -> None:
        if self.latency < 0 or self.index_lag < 0:
            raise InvalidArgumentError("latency and index_lag must be at least 0 seconds")
        if self.file_token_lifetime <= 0:
            raise InvalidArgumentError("file_token_lifetime must be more than 0 seconds")


class SimulatedAccount:
    """The state of a simulator between two resets.

    Args:
        settings: the arguments of the simulator.
        origin: returns scheme, host and port of the simulator.
    """

    def __init__(self, settings: AccountSettings, origin: Callable[[], str]) -> None:
        clock, seed = settings.clock, settings.seed
        self.settings = settings
        self._origin = origin
        self.store: CaseStore = CaseStore(clock, seed=seed, tag_cap=settings.tag_cap)
        self.faults: Faults = Faults(seed)
        self.requests: RequestLog = RequestLog()
        self.idempotency: IdempotencyStore = IdempotencyStore(clock)
        self.store.load(*make_world(settings.cases, seed, settings.epoch))
        self.window: FixedWindow = FixedWindow(RateLimit.parse(settings.rate_limit), clock)
        quota = RateLimit.parse(settings.case_quota, "case_quota")
        self.quota: CaseQuota = CaseQuota(quota, clock, settings.quota_headers, settings.quota_status)
        self._signer = FileSigner(clock, settings.file_token_lifetime, seed)
        self.events: EventLog = EventLog(self.store, clock, seed=seed)
        self.webhooks: SimulatedWebhooks = SimulatedWebhooks(
            self.events, WebhookBodies(self.store, self._signer, origin), clock, seed=seed
        )
        gates = Gates(self.window, self.idempotency, self.quota)
        self._api = SimulatedApi(settings.api_key, gates, self._endpoints(), self._signer, seed=seed)

    def outcome(self, request: ReceivedRequest, authorization: str | None) -> Outcome:
        """Record a request, and decide the response and how to send it.

        Args:
            request: the request, with the root of the API in its path.
            authorization: its `Authorization` header.
        """
        request.received_at = self.settings.clock.monotonic()
        request.in_api = request.path.startswith(API_ROOT + "/")
        if request.in_api:
            request.path = request.path.removeprefix(API_ROOT)
        self.requests.record(request)
        fault = self.faults.choose(request)
        if fault is None:
            return Outcome(self._answer(request, authorization), Delivery(delay=self.settings.latency))
        request.fault = fault.name
        answer = self._faulty(fault, request, authorization)
        if fault.alter is not None:
            answer = fault.alter(answer)
        return Outcome(answer, attrs.evolve(fault.delivery, delay=fault.delivery.delay + self.settings.latency))

    def _endpoints(self) -> Endpoints:
        settings, store = self.settings, self.store
        index = SearchIndex(store, settings.clock, settings.index_lag)
        return Endpoints(
            CasesEndpoints(store, index, settings.limits, echo_filters=settings.echo_filters),
            CaseWrites(store, settings.clock),
            CaseActions(store, settings.clock),
            TemplateEndpoints(store),
            EventEndpoints(self.events, echo_filters=settings.echo_filters),
        )

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
        # File URLs use the host under which the client reached the API, because a container may not know its own names.
        host = request.headers.get("host")
        return f"http://{host}" if host else self._origin()
