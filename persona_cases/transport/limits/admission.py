"""Admission: the limits that a request has to pass, and the feedback that they get from its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import msgspec

from persona_cases.errors import InvalidArgumentError, PersonaError, QuotaExceededError, RateLimitError
from persona_cases.protocol.limit_headers import read_quota, read_rate_limit, read_retry_after
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.window import Feedback
from persona_cases.transport.limits.limiter import Limiter, Permit

# Seconds of waiting after which a notice is given.
_LONG_WAIT = 1.0

LimitName: TypeAlias = Literal["rate_limit", "case_quota"]
"""The name of a limit."""

Notice: TypeAlias = Callable[[LimitName, Limiter], None]
"""Called with the limit for which a request has waited for a second and still waits."""


class CreationPermits(NamedTuple):
    """Permission to send a request that creates a case.

    Attributes:
        rate: the permit of the rate limit.
        creation: the permit of the quota of case creation.
    """

    rate: Permit
    creation: Permit


Permits: TypeAlias = Permit | CreationPermits
"""Permission to send one request; for a request that creates no case, only that of the rate limit."""


class Admission:
    """The rate limit, which all requests pass, and before it the quota that creations pass.

    Args:
        limiter: keeps to the rate limit.
        creation_limiter: keeps to the quota of case creation.
        clock: a monotonic clock, in seconds.

    Raises:
        InvalidArgumentError: if both are the same, which would count creations twice.
    """

    def __init__(
        self, limiter: Limiter, creation_limiter: Limiter, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if limiter is creation_limiter:
            raise InvalidArgumentError(
                "creation_limiter must not be the same object as limiter, because the quota is a separate limit"
            )
        self.limiter = limiter
        self.creation_limiter = creation_limiter
        self._clock = clock

    def acquire(self, request: Request, max_wait: float | None, notice: Notice | None = None) -> Awaitable[Permits]:
        """Return an awaitable that waits until a request may be sent.

        Args:
            request: the request to send.
            max_wait: maximum seconds to wait for all limits together; None for no limit.
            notice: called if the wait is long.

        Raises:
            RateLimitError: if the wait would be longer; a `QuotaExceededError` if it is for the quota.
        """
        if request.creates_case:
            return self._acquire_both(max_wait, notice)
        if notice is None:
            return self.limiter.acquire(max_wait)
        return _with_notice(self.limiter, "rate_limit", max_wait, notice)

    async def _acquire_both(self, max_wait: float | None, notice: Notice | None) -> CreationPermits:
        asked = self._clock()
        creation = await self._acquire_creation(max_wait, notice)
        granted = self._clock()
        try:
            left = None if max_wait is None else max(0.0, max_wait - (granted - asked))
            rate = await _noticed(self.limiter, "rate_limit", left, notice)
        except BaseException:
            await self.creation_limiter.settle(creation, Feedback(sent=False))
            raise
        # The request leaves only now, perhaps in a later window of the quota than the one that admitted it.
        return CreationPermits(
            rate, msgspec.structs.replace(creation, departed=creation.departed + self._clock() - granted)
        )

    def settle(self, permits: Permits, response: Response | None, error: PersonaError | None) -> Awaitable[None]:
        """Return an awaitable that gives permits back and reports how the request ended.

        Args:
            permits: the permits from `acquire`.
            response: the response; None if no complete one arrived.
            error: the error of the response; None for a success.
        """
        feedback = rate_feedback(response, error)
        if isinstance(permits, CreationPermits):
            return self._settle_both(permits, feedback, quota_feedback(response, error))
        return self.limiter.settle(permits, feedback)

    async def _settle_both(self, permits: CreationPermits, rate: Feedback, quota: Feedback) -> None:
        try:
            await self.limiter.settle(permits.rate, rate)
        finally:
            await self.creation_limiter.settle(permits.creation, quota)

    async def _acquire_creation(self, max_wait: float | None, notice: Notice | None) -> Permit:
        try:
            return await _noticed(self.creation_limiter, "case_quota", max_wait, notice)
        except RateLimitError as error:
            wait = error.retry_after
        needed = "" if wait is None else f" of {wait:.1f} s"
        raise QuotaExceededError(
            f"not sent: the wait{needed} for the quota of case creation is longer than max_wait allows",
            retry_after=wait,
        )


def _noticed(
    limiter: Limiter, name: LimitName, max_wait: float | None, notice: Notice | None
) -> Coroutine[Any, Any, Permit]:
    return limiter.acquire(max_wait) if notice is None else _with_notice(limiter, name, max_wait, notice)


async def _with_notice(limiter: Limiter, name: LimitName, max_wait: float | None, notice: Notice) -> Permit:
    timer = asyncio.get_running_loop().call_later(_LONG_WAIT, notice, name, limiter)
    try:
        return await limiter.acquire(max_wait)
    finally:
        timer.cancel()


def check_limiter(value: object, argument: str) -> Limiter:
    """Check a limiter when the caller passes it, not when it is first used.

    Raises:
        InvalidArgumentError: if it is not a limiter.
    """
    methods = (getattr(value, name, None) for name in ("acquire", "settle"))
    if isinstance(value, type) or not all(map(callable, methods)):
        raise InvalidArgumentError(f"{argument} must be a Limiter, such as LocalLimiter()")
    return cast("Limiter", value)


def rate_feedback(response: Response | None, error: PersonaError | None) -> Feedback:
    """Return the feedback for the rate limit from a response, or from the lack of one."""
    if response is None:
        return Feedback()
    refused = isinstance(error, RateLimitError) and not isinstance(error, QuotaExceededError)
    return Feedback(
        reading=read_rate_limit(response.headers),
        answered=True,
        refused=refused,
        retry_after=read_retry_after(response.headers) if refused else None,
    )


def quota_feedback(response: Response | None, error: PersonaError | None) -> Feedback:
    """Return the feedback for the quota from the response to a creation, or from the lack of one."""
    if response is None:
        return Feedback()
    refused = isinstance(error, QuotaExceededError)
    return Feedback(
        reading=read_quota(response.headers),
        # A 429 response of the rate limit comes before the API counts the creation.
        answered=refused or not isinstance(error, RateLimitError),
        refused=refused,
        retry_after=read_retry_after(response.headers) if refused else None,
    )
