"""The attempt loop, the only one: wait for leave, send, judge, back off, send again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import attrs

from persona_cases.errors import PersonaError, RateLimitError
from persona_cases.protocol.retry import Attempts

__all__ = ["AttemptLoop", "Sending"]

logger: logging.Logger = logging.getLogger("persona_cases")

P = TypeVar("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class Sending(Protocol[P, R_co]):
    """What is sent, perhaps several times: a request to the API, or the download of a file."""

    @property
    def under_way(self) -> bool:
        """Whether an attempt is under way, or was when its call was ended, that may have left."""
        ...

    async def admit(self, patience: float | None) -> P:
        """Wait until the next attempt may leave.

        Args:
            patience: the most seconds to wait; None for as long as it takes.

        Raises:
            RateLimitError: if the wait would be longer.
        """
        ...

    async def send(self, permit: P, number: int) -> R_co | PersonaError:
        """Make one attempt.

        Args:
            permit: what `admit` returned.
            number: which attempt this is, counted from 1.

        Returns:
            The result, or the error that the caller gets unless there is another attempt.
        """
        ...


@attrs.frozen
class AttemptLoop:
    """Makes attempts until one succeeds or the decisions in `Attempts` end them.

    Attributes:
        clock: a monotonic clock, in seconds.
        sleep: waits for so many seconds.
        draw: random numbers in [0, 1) for the jitter.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random

    async def run(self, sending: Sending[P, R], attempts: Attempts, max_wait: float | None) -> R:
        """Return the result of the first attempt that succeeds.

        Raises:
            PersonaError: what the last attempt ended in, or an `IndeterminateError`.
        """
        clock, failure = self.clock, None
        started = clock()
        while True:
            patience = attempts.patience(elapsed=clock() - started, max_wait=max_wait)
            try:
                permit = await sending.admit(patience)
            except RateLimitError as error:
                if failure is None:
                    raise error from None
                # What the server said last tells more than that there is no time left to ask again.
                final = attempts.final_error(failure)
                raise final from (final.__cause__ or error)
            if not attempts.sent:
                started = clock()
            attempts.sent += 1
            outcome = await sending.send(permit, attempts.sent)
            if not isinstance(outcome, PersonaError):
                return outcome
            failure = outcome
            attempts.record(failure)
            delay = attempts.delay(failure, elapsed=clock() - started, draw=self.draw(), max_wait=max_wait)
            if delay is not None:
                logger.info("request.retry %s delay=%.3f", attempts.where, delay)
                await self.sleep(delay)
            if delay is None or attempts.is_over(clock() - started):
                final = attempts.final_error(failure)
                raise final from final.__cause__
