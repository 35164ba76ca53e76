"""Whether to send again, and when: a pure decision.

The vendor's rules: https://docs.withpersona.com/errors and https://docs.withpersona.com/idempotence.
"""

from __future__ import annotations

import attrs

from persona_cases.errors import (
    APIError,
    AuthenticationError,
    IndeterminateError,
    PersonaError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
)
from persona_cases.protocol.checks import seconds, whole_number
from persona_cases.protocol.message import Request, Safety

# The first of the waits that the vendor advises after refusals that do not say how long.
_UNTOLD_QUOTA_WAIT = 5.0


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a failed request is sent again.

    Waits grow exponentially with full jitter; a `Retry-After` in the answer comes on top. A request refused by the rate
    limit or the quota of case creation waits for the window instead, and is bounded by `deadline` alone.
    `RetryPolicy(attempts=1)` sends everything once.

    Attributes:
        attempts: how many times a request may be sent when it fails.
        base: the longest first wait, in seconds; it doubles with each failure.
        cap: the longest wait, in seconds.
        deadline: seconds after the first sending beyond which nothing is sent again. All that happens meanwhile
            counts: the sendings, the waits between them, and the waits for the rate limit. A sending that has begun
            is not cut short by it, but by the timeout; the wait before the first sending is bounded by `max_wait`.

    Raises:
        InvalidArgumentError: if a number is out of range.
    """

    attempts: int = 4
    base: float = 0.5
    cap: float = 20.0
    deadline: float = 300.0

    def __attrs_post_init__(self) -> None:
        whole_number(self.attempts, "attempts")
        seconds(self.base, "base", least=0.0)
        seconds(self.cap, "cap", least=0.0)
        seconds(self.deadline, "deadline")

    def wait(self, failures: int, draw: float) -> float:
        """Return the seconds to wait after so many failures; `draw` is a random number in [0, 1)."""
        return min(self.cap, self.base * 2.0 ** min(failures - 1, 60)) * draw


@attrs.define
class Attempts:
    """The attempts of one call so far, and what follows from them.

    Attributes:
        request: what is being sent.
        policy: the caller's patience.
        sent: how many times it was sent.
        failures: how many of them failed, those refused by the rate limit not counted.
        doubt: the last failure after which the request may have been carried out all the same.
    """

    request: Request
    policy: RetryPolicy
    sent: int = 0
    failures: int = 0
    doubt: PersonaError | None = None

    def record(self, error: PersonaError) -> None:
        """Take in how a sending failed."""
        if not isinstance(error, RateLimitError):
            self.failures += 1
        if _outcome_unknown(error):
            self.doubt = error

    def patience(self, *, elapsed: float, max_wait: float | None) -> float | None:
        """Decide how long the next sending may wait for the limits.

        Args:
            elapsed: seconds since the first sending; ignored before it.
            max_wait: the most seconds that the caller lets any sending wait; None for as long as it takes.

        Returns:
            Seconds, or None for as long as it takes.
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
        """Decide whether the request is sent again after `error`.

        Args:
            error: how the last sending failed, already recorded.
            elapsed: seconds since the first sending.
            draw: a random number in [0, 1) for the jitter.
            max_wait: the most seconds to wait for a quota; None for as long as the policy allows.

        Returns:
            Seconds to wait before the next sending, or None to give up. A wait for the rate limit or for the quota of
            case creation is not among them: it is done where all requests do it together.
        """
        if self.policy.attempts == 1 or self.request.safety is Safety.ONCE:
            return None
        if isinstance(error, RateLimitError):
            wait = self._after_refusal(error, draw)
            if max_wait is not None and wait > max_wait:
                return None
        elif self.failures < self.policy.attempts and _worth_repeating(self.request.safety, error):
            told = error.retry_after if isinstance(error, APIError) else None
            wait = self.policy.wait(self.failures, draw) + (told or 0.0)
        else:
            return None
        return wait if elapsed + wait < self.policy.deadline else None

    def is_over(self, elapsed: float) -> bool:
        """Whether the deadline has passed, which a wait may overrun."""
        return elapsed >= self.policy.deadline

    def final_error(self, error: PersonaError) -> PersonaError:
        """Return what the caller gets when no more is sent: of a write that may have happened, that is said."""
        if isinstance(error, (APIError, TransportError)):
            error.attempts = self.sent
            error.idempotency_key = self.request.idempotency_key
        if self.request.safety is Safety.READ or self.doubt is None or _settles(error):
            return error
        said = self.doubt if isinstance(self.doubt, APIError) else None
        return IndeterminateError(
            f"it is unknown whether {self.request.method} {self.request.path} was carried out: "
            "read the object back before you send the request anew",
            status=said.status if said else 0,
            errors=said.errors if said else (),
            request_id=said.request_id if said else None,
            attempts=self.sent,
            idempotency_key=self.request.idempotency_key,
        )

    @property
    def where(self) -> str:
        """The last attempt, for a log record: never with the query or the body, which are personal data."""
        return f"method={self.request.method} path={self.request.path} attempt={self.sent}"

    def _after_refusal(self, error: RateLimitError, draw: float) -> float:
        # The rate limit and the quota of case creation have limiters. Another product's quota has none, and concerns
        # nobody but the requests that create such things, so it is waited out here.
        if not isinstance(error, QuotaExceededError) or self.request.creates_case:
            return 0.0
        return (_UNTOLD_QUOTA_WAIT if error.retry_after is None else error.retry_after) + draw


def _worth_repeating(safety: Safety, error: PersonaError) -> bool:
    if isinstance(error, TransportError):
        return True
    return isinstance(error, ServerError) and safety in {Safety.READ, Safety.KEYED}


def _outcome_unknown(error: PersonaError) -> bool:
    return isinstance(error, ServerError) or (isinstance(error, TransportError) and error.sent)


def _settles(error: PersonaError) -> bool:
    # Refusals by the rate limit and for the key happen before an idempotency key is looked up, so they say nothing
    # about an earlier sending. Any other 4xx is the stored outcome of the key.
    if isinstance(error, (RateLimitError, AuthenticationError, ServerError)):
        return False
    return isinstance(error, APIError)
