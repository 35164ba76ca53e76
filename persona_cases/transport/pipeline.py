"""Requests to the API: through the rate limit and the middleware to the network, as often as the attempt loop says."""

from __future__ import annotations

import copy
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self

import attrs

from persona_cases.errors import DecodeError, InvalidArgumentError, PersonaError, TransportError
from persona_cases.protocol.call_options import Options
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.outcome import error_of
from persona_cases.transport.attempt_loop import AttemptLoop
from persona_cases.transport.calls_under_way import Call
from persona_cases.transport.connection_failures import Departure
from persona_cases.transport.file_hosts import FileHosts
from persona_cases.transport.limits.admission import Admission, Permits
from persona_cases.transport.middleware import Middleware, compose
from persona_cases.transport.session import HttpSession

logger: logging.Logger = logging.getLogger("persona_cases")


class Transport:
    """Turns a `Request` into a successful `Response` or one error of ours.

    Args:
        session: sends a request once.
        admission: says when a request may be sent.
        middleware: functions around each sending, the first outermost.
        loop: makes the attempts.
        file_hosts: says when a file may be downloaded.
    """

    def __init__(
        self,
        session: HttpSession,
        admission: Admission,
        middleware: tuple[Middleware, ...] = (),
        *,
        loop: AttemptLoop | None = None,
        file_hosts: FileHosts | None = None,
    ) -> None:
        self.session = session
        self.admission = admission
        self.middleware = middleware
        self.loop: AttemptLoop = AttemptLoop() if loop is None else loop
        self.file_hosts: FileHosts = FileHosts() if file_hosts is None else file_hosts
        self._keys_in_flight: set[str] = set()

    def with_innermost(self, middleware: Middleware) -> Self:
        """Return a copy with one more middleware, below all others; everything else is shared."""
        twin = copy.copy(self)
        twin.middleware = (*self.middleware, middleware)
        return twin

    async def run(self, call: Call, options: Options) -> Response:
        """Send the request of a call until it succeeds or nothing more should be tried.

        Raises:
            APIError: if the API refused, or the rate limit would need a wait longer than `max_wait`.
            TransportError: if no whole answer came.
            IndeterminateError: if it is unknown whether a write was carried out.
            ClientStateError: if the client is closed, or belongs to another event loop.
            InvalidArgumentError: if another call under the same idempotency key is under way.
        """
        try:
            call.lifetime.check()
            self.session.check_usable()
            request = call.attempts.request
            sending = _ApiSending(self, request, options)
            if request.idempotency_key is None:
                return await call.run(sending, options.max_wait)
            with self._key_in_flight(request.idempotency_key):
                return await call.run(sending, options.max_wait)
        except PersonaError as error:
            call.describe(error)
            raise

    @contextmanager
    def _key_in_flight(self, key: str) -> Generator[None]:
        # What the API does with two requests under one key at the same time is not documented.
        if key in self._keys_in_flight:
            raise InvalidArgumentError("idempotency_key: another call under the same key is under way")
        self._keys_in_flight.add(key)
        try:
            yield
        finally:
            self._keys_in_flight.discard(key)


@attrs.define
class _ApiSending:
    """A request to the API, as the attempt loop sees it."""

    transport: Transport
    request: Request
    options: Options
    network: _Network | None = None

    @property
    def under_way(self) -> bool:
        return self.network is not None and self.network.may_have_left

    async def admit(self, patience: float | None) -> Permits:
        return await self.transport.admission.acquire(self.request, patience)

    async def send(self, permit: Permits, number: int) -> Response | PersonaError:
        transport, request = self.transport, self.request
        if number != request.attempt:
            request = attrs.evolve(request, attempt=number)
        network, started = _Network(transport.session, self.options), transport.loop.clock()
        self.network = network
        response: Response | None = None
        error: PersonaError | None = None
        try:
            answer = await compose(transport.middleware, network.send)(request)
            # A middleware may have returned anything; the limits are told of answers that can be read.
            response, error = answer, error_of(answer)
            if logger.isEnabledFor(logging.DEBUG):
                seconds, said = transport.loop.clock() - started, (response.status, response.request_id)
                logger.debug(
                    "request.answered %s status=%d request_id=%s seconds=%.3f", _where(request), *said, seconds
                )
            self.network = None
            return answer if error is None else error  # noqa: TRY300 - the limits are told in any case
        except (TransportError, DecodeError) as lost:
            if lost is not network.lost:
                raise
            logger.debug("request.failed %s error=%s", _where(request), type(lost).__name__)
            self.network = None
            return lost
        finally:
            await transport.admission.settle(permit, response, error)


@attrs.define
class _Network:
    """What lies under all middleware. It remembers how it failed: middleware may raise errors of its own."""

    session: HttpSession
    options: Options
    lost: TransportError | DecodeError | None = None
    departure: Departure | None = None

    @property
    def may_have_left(self) -> bool:
        return self.departure is not None and not self.departure.unsent

    async def send(self, request: Request) -> Response:
        self.departure = Departure()
        try:
            return await self.session.send(request, self.options, self.departure)
        except (TransportError, DecodeError) as error:
            self.lost = error
            raise


def _where(request: Request) -> str:
    # Never the query or the body: filters and fields are personal data.
    return f"method={request.method} path={request.path} attempt={request.attempt}"
