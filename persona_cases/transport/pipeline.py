"""Requests to the API: each attempt passes the rate limit and the middleware, and goes to the network."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from functools import partial

from persona_cases.errors import DecodeError, InvalidArgumentError, PersonaError, TransportError
from persona_cases.protocol.events import AttemptAnswered, AttemptLost, AttemptSent, LimitWait
from persona_cases.protocol.limit_headers import read_quota, read_rate_limit
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.outcome import error_of
from persona_cases.transport.calls_under_way import Call, Timing
from persona_cases.transport.connection_failures import Departure
from persona_cases.transport.file_hosts import FileHosts
from persona_cases.transport.limits.admission import Admission, LimitName
from persona_cases.transport.limits.limiter import Limiter
from persona_cases.transport.middleware import Middleware, compose
from persona_cases.transport.session import HttpSession


class Transport:
    """Turns the request of a call into a successful `Response` or one of our errors.

    Args:
        session: sends a request once.
        admission: decides when a request may be sent.
        middleware: functions that wrap each attempt, the first outermost.
        timing: clock, sleep and jitter of the calls.
        file_hosts: decides when a file may be downloaded.
    """

    def __init__(
        self,
        session: HttpSession,
        admission: Admission,
        middleware: tuple[Middleware, ...] = (),
        *,
        timing: Timing | None = None,
        file_hosts: FileHosts | None = None,
    ) -> None:
        self.session = session
        self.timing: Timing = Timing() if timing is None else timing
        self.file_hosts: FileHosts = FileHosts() if file_hosts is None else file_hosts
        self._admission = admission
        self._middleware = middleware
        self._keys_in_flight: set[str] = set()

    @property
    def limiter(self) -> Limiter:
        """The limiter for the rate limit."""
        return self._admission.limiter

    @property
    def creation_limiter(self) -> Limiter:
        """The limiter for the quota of case creation."""
        return self._admission.creation_limiter

    def run(self, call: Call) -> Awaitable[Response]:
        """Return an awaitable that sends the request of a call until it succeeds or no retry should follow.

        Raises:
            APIError: if the API responded with an error status, or the wait for the rate limit would exceed `max_wait`.
            TransportError: if no complete response arrived.
            IndeterminateError: if it is unknown whether a write was carried out.
            ClientStateError: if the client is closed, or belongs to another event loop.
            InvalidArgumentError: if another call under the same idempotency key is in flight.
        """
        call.lifetime.check()
        self.session.check_usable()
        key = call.request.idempotency_key
        return self._attempt(call) if key is None else self._attempt_alone(call, key)

    async def _attempt_alone(self, call: Call, key: str) -> Response:
        with self._key_in_flight(key):
            return await self._attempt(call)

    @contextmanager
    def _key_in_flight(self, key: str) -> Generator[None]:
        # The API does not document what happens to two concurrent requests with the same key.
        if key in self._keys_in_flight:
            raise InvalidArgumentError("idempotency_key: another call under the same key is in flight")
        self._keys_in_flight.add(key)
        try:
            yield
        finally:
            self._keys_in_flight.discard(key)

    async def _attempt(self, call: Call) -> Response:
        notice = partial(_tell_wait, call) if call.observers else None
        while True:
            permits = await call.admit(self._admission.acquire(call.request, call.patience, notice))
            response: Response | None = None
            error: PersonaError | None = None
            outcome: Response | PersonaError
            try:
                answer = await (self._send(call) if self._middleware else self._exchange(call, call.request))
                # A middleware may have returned anything, but the limits learn only from valid responses.
                response, error = answer, None if answer.ok else error_of(answer)
                outcome = answer if error is None else error
            except (TransportError, DecodeError) as lost:
                # A middleware may raise such an error of its own.
                if self._middleware and lost is not call.lost:
                    raise
                outcome = lost
            finally:
                await self._admission.settle(permits, response, error)
            if isinstance(outcome, Response):
                return outcome
            await call.back_off(outcome)

    # Neither is a coroutine of its own, because each one between a call and the network takes part in every wake-up.

    def _send(self, call: Call) -> Awaitable[Response]:
        return compose(self._middleware, partial(self._noted, call))(call.request)

    def _exchange(self, call: Call, request: Request) -> Awaitable[Response]:
        call.departure = departure = Departure()
        if call.observers:
            return self._watched(call, request, departure)
        return self.session.send(request, call.options, departure)

    async def _noted(self, call: Call, request: Request) -> Response:
        try:
            return await self._exchange(call, request)
        except (TransportError, DecodeError) as error:
            call.lost = error
            raise

    async def _watched(self, call: Call, request: Request, departure: Departure) -> Response:
        observed, started = call.observed, self.timing.clock()
        call.tell(AttemptSent(observed, request.attempt, call.waited, *self.session.server))
        try:
            response = await self.session.send(request, call.options, departure)
        except (TransportError, DecodeError) as error:
            call.tell(AttemptLost(observed, request.attempt, type(error), self.timing.clock() - started))
            raise
        call.tell(
            AttemptAnswered(
                observed,
                request.attempt,
                response.status,
                response.request_id,
                self.timing.clock() - started,
                read_rate_limit(response.headers),
                read_quota(response.headers),
            )
        )
        return response


def _tell_wait(call: Call, limit: LimitName, limiter: Limiter) -> None:
    state = limiter.state
    call.tell(LimitWait(call.observed, limit, state.cooling_for or state.resets_in))
