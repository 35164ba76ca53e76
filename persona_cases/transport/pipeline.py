"""The attempt loop: rate limit, hooks, sending, judging, waiting, again."""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Self

import attrs

from persona_cases.errors import InvalidArgumentError, PersonaError, RateLimitError, TransportError
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.options import Options
from persona_cases.protocol.outcome import error_of
from persona_cases.protocol.quota import read_retry_after
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.admission import Admission, Permits
from persona_cases.transport.hooks import Hook, compose
from persona_cases.transport.session import HttpSession

logger = logging.getLogger("persona_cases")


@attrs.frozen
class Failure:
    """How a sending failed.

    Attributes:
        error: what the caller gets, unless the request is sent again.
        retry_after: the seconds that the answer's `Retry-After` asks for; None if it has none.
    """

    error: PersonaError
    retry_after: float | None = None


class Transport:
    """Turns a `Request` into a successful `Response` or one error of ours.

    Args:
        session: sends a request once.
        admission: says when a request may be sent.
        hooks: functions around each sending, the first outermost.
        clock: a monotonic clock, in seconds.
        sleep: waits for so many seconds.
        draw: random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        session: HttpSession,
        admission: Admission,
        hooks: tuple[Hook, ...] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.session = session
        self.admission = admission
        self.hooks = hooks
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._keys_in_flight: set[str] = set()

    def with_innermost(self, hook: Hook) -> Self:
        """Return a copy with one more hook, below all others; everything else is shared."""
        twin = copy.copy(self)
        twin.hooks = (*self.hooks, hook)
        return twin

    async def run(self, request: Request, options: Options) -> Response:
        """Send a request until it succeeds or nothing more should be tried.

        Raises:
            APIError: if the API refused, or the rate limit would need a wait longer than `max_wait`.
            TransportError: if no whole answer came.
            ClientStateError: if the client is closed, or belongs to another event loop.
            InvalidArgumentError: if another call under the same idempotency key is under way.
        """
        self.session.check_usable()
        if request.idempotency_key is None:
            return await self._send_while_worth_it(request, options)
        with self._key_in_flight(request.idempotency_key):
            return await self._send_while_worth_it(request, options)

    async def _send_while_worth_it(self, request: Request, options: Options) -> Response:
        attempts = Attempts(request, options.retry)
        failure, started = None, self._clock()
        while True:
            patience = attempts.patience(elapsed=self._clock() - started, max_wait=options.max_wait)
            try:
                permits = await self.admission.acquire(request, patience)
            except RateLimitError as error:
                if failure is None:
                    raise attempts.final_error(error) from None
                # What the API said last tells more than that there is no time left to ask again.
                raise attempts.final_error(failure.error) from error
            if not attempts.sent:
                started = self._clock()
            attempts.sent += 1
            numbered = request if attempts.sent == request.attempt else attrs.evolve(request, attempt=attempts.sent)
            outcome = await self._send(numbered, options, permits)
            if isinstance(outcome, Response):
                return outcome
            failure = outcome
            attempts.record(failure.error)
            delay = attempts.delay(
                failure.error,
                elapsed=self._clock() - started,
                draw=self._draw(),
                retry_after=failure.retry_after,
                max_wait=options.max_wait,
            )
            if delay is not None:
                logger.info("request.retry %s delay=%.3f", _where(numbered), delay)
                await self._sleep(delay)
            if delay is None or attempts.is_over(self._clock() - started):
                raise attempts.final_error(failure.error) from failure.error.__cause__

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

    async def _send(self, request: Request, options: Options, permits: Permits) -> Response | Failure:
        network, started = _Network(self.session, options), self._clock()
        response: Response | None = None
        error: PersonaError | None = None
        try:
            answer = await compose(self.hooks, network.send)(request)
            # A hook may have returned anything; the limits are told of answers that can be read.
            response, error = answer, error_of(answer)
            if logger.isEnabledFor(logging.DEBUG):
                seconds, said = self._clock() - started, (response.status, response.request_id)
                logger.debug(
                    "request.answered %s status=%d request_id=%s seconds=%.3f", _where(request), *said, seconds
                )
            return response if error is None else Failure(error, read_retry_after(response.headers))
        except TransportError as lost:
            if lost is not network.lost:
                raise
            logger.debug("request.failed %s error=%s", _where(request), type(lost).__name__)
            return Failure(lost)
        finally:
            await self.admission.settle(permits, response, error)


@attrs.define
class _Network:
    """What lies under all hooks. It remembers how it failed, so that an error of a hook's own is told from that."""

    session: HttpSession
    options: Options
    lost: TransportError | None = None

    async def send(self, request: Request) -> Response:
        try:
            return await self.session.send(request, self.options)
        except TransportError as error:
            self.lost = error
            raise


def _where(request: Request) -> str:
    # Never the query or the body: filters and fields are personal data.
    return f"method={request.method} path={request.path} attempt={request.attempt}"
