"""The attempt loop: rate limit, hooks, sending, judging, waiting, again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial

import attrs

from persona_cases.errors import InvalidArgumentError, PersonaError, RateLimitError, TransportError
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.options import Options
from persona_cases.protocol.outcome import error_of
from persona_cases.protocol.quota import read_rate_limit
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.hooks import Hook, compose
from persona_cases.transport.limiter import Feedback, Limiter, Permit
from persona_cases.transport.session import HttpSession

logger = logging.getLogger("persona_cases")


class Transport:
    """Turns a `Request` into a successful `Response` or one error of ours.

    Args:
        session: sends a request once.
        limiter: says when a request may be sent.
        hooks: functions around each sending, the first outermost.
        clock: a monotonic clock, in seconds.
        sleep: waits for so many seconds.
        draw: random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        session: HttpSession,
        limiter: Limiter,
        hooks: tuple[Hook, ...] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.session = session
        self.limiter = limiter
        self.hooks = hooks
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._keys_in_flight: set[str] = set()

    async def run(self, request: Request, options: Options) -> Response:
        """Send a request until it succeeds or nothing more should be tried.

        Raises:
            APIError: if the API refused, or the rate limit would need a wait longer than `max_wait`.
            TransportError: if no whole answer came.
            ClientStateError: if the client is closed, or belongs to another event loop.
            InvalidArgumentError: if another call under the same idempotency key is under way.
        """
        self.session.check_usable()
        with self._key_in_flight(request.idempotency_key):
            return await self._send_while_worth_it(request, options)

    async def _send_while_worth_it(self, request: Request, options: Options) -> Response:
        attempts = Attempts(request, options.retry)
        patience, started = options.max_wait, self._clock()
        while True:
            try:
                permit = await self.limiter.acquire(patience)
            except RateLimitError as error:
                raise attempts.final_error(error) from attempts.doubt
            attempts.sent += 1
            if attempts.sent == 1:
                started = self._clock()
            numbered = attrs.evolve(request, attempt=attempts.sent)
            outcome = await self._send(numbered, options, permit)
            if isinstance(outcome, Response):
                return outcome
            attempts.record(outcome)
            elapsed = self._clock() - started
            delay = attempts.delay(outcome, elapsed=elapsed, draw=self._draw(), max_wait=options.max_wait)
            if delay is None:
                raise attempts.final_error(outcome) from outcome.__cause__
            logger.info("request.retry %s delay=%.3f", _where(numbered), delay)
            await self._sleep(delay)
            patience = _lesser(options.max_wait, options.retry.deadline - elapsed - delay)

    @contextmanager
    def _key_in_flight(self, key: str | None) -> Generator[None]:
        # What the API does with two requests under one key at the same time is not documented.
        if key is None:
            yield
            return
        if key in self._keys_in_flight:
            raise InvalidArgumentError("idempotency_key: another call under the same key is under way")
        self._keys_in_flight.add(key)
        try:
            yield
        finally:
            self._keys_in_flight.discard(key)

    async def _send(self, request: Request, options: Options, permit: Permit) -> Response | PersonaError:
        send = compose(self.hooks, partial(self.session.send, options=options))
        started, where, feedback = self._clock(), _where(request), Feedback()
        try:
            response = await send(request)
            error = error_of(response)
            feedback = Feedback(
                reading=read_rate_limit(response.headers),
                answered=True,
                refused=type(error) is RateLimitError,
            )
            seconds, said = self._clock() - started, (response.status, response.request_id)
            logger.debug("request.answered %s status=%d request_id=%s seconds=%.3f", where, *said, seconds)
        except TransportError as failure:
            logger.debug("request.failed %s error=%s", where, type(failure).__name__)
            return failure
        finally:
            await self.limiter.settle(permit, feedback)
        return response if error is None else error


def _where(request: Request) -> str:
    # Never the query or the body: filters and fields are personal data.
    return f"method={request.method} path={request.path} attempt={request.attempt}"


def _lesser(max_wait: float | None, left: float) -> float:
    return max(0.0, left if max_wait is None else min(max_wait, left))
