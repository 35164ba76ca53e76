"""The decision whether and when another attempt follows. Pure.

The vendor's rules: https://docs.withpersona.com/errors and https://docs.withpersona.com/idempotence.
"""

from __future__ import annotations

import attrs
import msgspec

from persona_cases.errors import (
    Answered,
    APIError,
    ClientStateError,
    DecodeError,
    IndeterminateError,
    NotFoundError,
    PersonaError,
    QuotaExceededError,
    RateLimitError,
    TransportError,
)
from persona_cases.protocol.checks import plain_seconds, seconds, whole_number
from persona_cases.protocol.message import Request
from persona_cases.protocol.naming import missing_from
from persona_cases.protocol.repeats import RULES, AttemptFailure, Rule, failure_of
from persona_cases.surface import publish
from persona_cases.teaching import Lessons, taught

# The first wait that the vendor advises after a 429 response without a duration.
_UNTOLD_QUOTA_WAIT = 5.0


_LESSONS = Lessons(
    constructor=True,
    arguments={
        "max_retries retries max_attempts total stop": "write attempts=, which counts the first attempt too",
        "backoff backoff_factor delay wait initial factor": "write base=",
        "max_delay max_wait backoff_max": "write cap=",
        "timeout max_elapsed max_time": "write deadline=",
    },
    calls={"__init__": "takes its settings by name: write RetryPolicy(attempts=...)"},
)


@taught(_LESSONS)
@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often the client retries a failed request, and how long it waits.

    Waits grow exponentially with full jitter, and a `Retry-After` in the response is added. After a 429 response for
    the rate limit or the quota of case creation, the request waits for the window instead, and only `deadline` limits
    the wait. `RetryPolicy(attempts=1)` never retries.

    Attributes:
        attempts: maximum number of attempts for a request that fails.
        base: maximum first wait, in seconds; it doubles with each failure.
        cap: maximum wait, in seconds.
        deadline: seconds after the first attempt beyond which the client does not retry. Attempts, the waits between
            them, and the waits for the rate limit all count. The deadline does not cut an attempt short; the timeout
            does. `max_wait` bounds the wait before the first attempt.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    attempts: int = 4
    base: float = attrs.field(default=0.5, converter=plain_seconds)
    cap: float = attrs.field(default=20.0, converter=plain_seconds)
    deadline: float = attrs.field(default=300.0, converter=plain_seconds)

    def __attrs_post_init__(self) -> None:
        whole_number(self.attempts, "attempts")
        seconds(self.base, "base", least=0.0)
        seconds(self.cap, "cap", least=0.0)
        seconds(self.deadline, "deadline")

    def wait(self, failures: int, draw: float) -> float:
        """Return the seconds to wait after a number of failed attempts.

        Args:
            failures: number of failed attempts so far, at least 1.
            draw: a random number in [0, 1).

        Returns:
            Seconds, without the `Retry-After` of a response.
        """
        return min(self.cap, self.base * 2.0 ** min(failures - 1, 60)) * draw


class Attempts(msgspec.Struct):
    """The attempts of one call so far, and the decision about the next.

    Attributes:
        request: the request.
        policy: the caller's retry policy.
        sent: number of attempts so far.
        failures: number of failed attempts, not counting 429 responses.
        doubt: the last failure after which the request may have been carried out.
    """

    request: Request
    policy: RetryPolicy
    sent: int = 0
    failures: int = 0
    doubt: PersonaError | None = None

    def record(self, error: PersonaError) -> None:
        """Count a failed attempt."""
        if not isinstance(error, RateLimitError):
            self.failures += 1
        if self._rule(error).in_doubt:
            self.doubt = error

    def patience(self, *, elapsed: float, max_wait: float | None) -> float | None:
        """Decide how long the next attempt may wait for rate limit and quota.

        Args:
            elapsed: seconds since the first attempt; ignored before it.
            max_wait: the caller's maximum wait per attempt, in seconds; None for no limit.

        Returns:
            Seconds, or None for no limit.
        """
        if not self.sent:
            return max_wait
        left = max(0.0, self.policy.deadline - elapsed)
        return left if max_wait is None else min(max_wait, left)

    def delay(
        self,
        error: PersonaError,
        *,
        elapsed: float,
        draw: float,
        max_wait: float | None = None,
    ) -> float | None:
        """Decide whether another attempt follows.

        Args:
            error: how the last attempt failed, already recorded.
            elapsed: seconds since the first attempt.
            draw: a random number in [0, 1) for the jitter.
            max_wait: maximum seconds to wait for a quota; None for as long as the policy allows.

        Returns:
            Seconds to wait before the next attempt, or None to give up. They do not include a wait for the rate limit
            or for the quota of case creation: the limiters do that for all requests together.
        """
        if self.policy.attempts == 1 or not self._rule(error).again:
            return None
        if isinstance(error, RateLimitError):
            wait = self._after_refusal(error, draw)
            if max_wait is not None and wait > max_wait:
                return None
        elif self.failures < self.policy.attempts:
            told = error.retry_after if isinstance(error, APIError) else None
            wait = self.policy.wait(self.failures, draw) + (told or 0.0)
        else:
            return None
        return wait if elapsed + wait < self.policy.deadline else None

    def is_over(self, elapsed: float) -> bool:
        """Return whether the deadline has passed, because a wait can overrun it."""
        return elapsed >= self.policy.deadline

    def final_error(self, error: PersonaError) -> PersonaError:
        """Return the error to raise when no attempt follows: for a write in doubt, an `IndeterminateError`."""
        if self.doubt is None or self._rule(error).settles:
            return error
        unread = isinstance(self.doubt, DecodeError)
        return self._indeterminate("the response cannot be read, so it is unknown" if unread else "it is unknown")

    def closed_error(self, *, under_way: bool) -> PersonaError:
        """Return the error to raise when the client was closed during the call.

        Args:
            under_way: whether the attempt in flight may have been sent.
        """
        if self.doubt is not None or (under_way and RULES[self.request.safety][AttemptFailure.LOST].in_doubt):
            return self._indeterminate("the client was closed, and it is unknown")
        return ClientStateError("the client was closed before a response came")

    def answered(self, *, elapsed: float, request_id: str | None = None) -> Answered:
        """Return the facts about the call that later errors need."""
        return Answered(self.request.method, self.request.path_template, self.sent, elapsed, request_id)

    def describe(self, error: PersonaError, *, elapsed: float) -> None:
        """Record in an error which call it ended, unless it already says so."""
        if error.method is not None:
            return
        call = self.answered(elapsed=elapsed)
        call.describe(error)
        if isinstance(error, (APIError, TransportError, IndeterminateError)):
            error.idempotency_key = self.request.idempotency_key
        # Without the vendor's document, the response is not from the API and not about an object.
        if isinstance(error, NotFoundError) and error.errors:
            details = (item.details for item in error.errors if item.details is not None)
            error.missing = missing_from(call.method, call.path_template, details)

    def _rule(self, error: PersonaError) -> Rule:
        return RULES[self.request.safety][failure_of(error)]

    def _indeterminate(self, problem: str) -> IndeterminateError:
        said = self.doubt if isinstance(self.doubt, APIError) else None
        error = IndeterminateError(
            f"{problem} whether {self.request.method} {self.request.path_template} was carried out: "
            "read the object back before you repeat it",
            status=said.status if said else None,
            errors=said.errors if said else (),
            request_id=self.doubt.request_id if isinstance(self.doubt, (APIError, DecodeError)) else None,
        )
        error.__cause__ = self.doubt
        return error

    def _after_refusal(self, error: RateLimitError, draw: float) -> float:
        # The rate limit and the quota of case creation have limiters. The quota of another product has none and
        # concerns only the requests that create its objects, so the call itself waits.
        if not isinstance(error, QuotaExceededError) or self.request.creates_case:
            return 0.0
        return (_UNTOLD_QUOTA_WAIT if error.retry_after is None else error.retry_after) + draw


publish("persona_cases", RetryPolicy)
