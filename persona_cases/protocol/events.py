"""The events that observers take: frozen values, a closed union made for `match`.

No event has a body, a query string, an id of an object, a header or a key. `path_template` names the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import attrs

from persona_cases.errors import PersonaError, QuotaExceededError, RateLimitError, RequestTimeoutError, TransportError
from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.surface import publish

__all__ = [
    "AttemptAnswered",
    "AttemptLost",
    "AttemptSent",
    "CallEnded",
    "CallStarted",
    "Event",
    "LimitWait",
    "ObservedCall",
    "Observer",
    "Retry",
    "RetryReason",
    "retry_reason",
]

RetryReason: TypeAlias = Literal[
    "not_sent", "timeout", "connection_lost", "rate_limited", "quota_exceeded", "server_error"
]
"""Why a call makes another attempt."""


@attrs.frozen
class ObservedCall:
    """The call that an event belongs to; the same object in all its events.

    Attributes:
        number: a number of its own among the calls of this process.
        method: the HTTP method.
        path_template: the path with `{id}` in place of ids, such as `/cases/{id}`; `/{attachment}` for a file.
        host: `api`, or `files` for the download of a file, which the API's limits do not count.
    """

    number: int
    method: str
    path_template: str
    host: Literal["api", "files"] = "api"


@attrs.frozen
class CallStarted:
    """A call begins: a method of the client that needs a response, with all its attempts."""

    call: ObservedCall


@attrs.frozen
class LimitWait:
    """A call has waited for a limit for a second and still waits.

    Attributes:
        call: which call.
        limit: `rate_limit`, or `case_quota` for the quota of case creation.
        resets_in: seconds until the window ends or the cooldown after a 429 response is over, at the latest; None if
            unknown.
    """

    call: ObservedCall
    limit: Literal["rate_limit", "case_quota"]
    resets_in: float | None


@attrs.frozen
class AttemptSent:
    """A request goes to the network. A middleware may send several for one attempt, or none.

    Attributes:
        call: which call.
        attempt: which attempt of the call, counted from 1.
        waited: seconds since the call began or since its last attempt ended, such as for the rate limit.
        address: the host that it goes to. For a file, the first one: that one may redirect to others.
        port: the port of that host.
    """

    call: ObservedCall
    attempt: int
    waited: float
    address: str
    port: int


@attrs.frozen
class AttemptAnswered:
    """A whole response came, whatever its status.

    Attributes:
        call: which call.
        attempt: which attempt of the call, counted from 1.
        status: the HTTP status.
        request_id: the vendor's id of the request; None if the response has none.
        seconds: seconds since the request went to the network.
        rate_limit: what the response reports about the rate limit, if it does.
        case_quota: what it reports about the quota of case creation, if it does.
    """

    call: ObservedCall
    attempt: int
    status: int
    request_id: str | None
    seconds: float
    rate_limit: WindowReading | None = None
    case_quota: WindowReading | None = None


@attrs.frozen
class AttemptLost:
    """No whole response came, or it is larger than `max_answer_bytes`.

    Attributes:
        call: which call.
        attempt: which attempt of the call, counted from 1.
        error: the class of the error.
        seconds: seconds since the request went to the network.
    """

    call: ObservedCall
    attempt: int
    error: type[PersonaError]
    seconds: float


@attrs.frozen
class Retry:
    """An attempt failed and another one follows.

    Attributes:
        call: which call.
        attempt: which attempt failed, counted from 1.
        reason: why it failed.
        delay: seconds to wait first; the wait for the rate limit comes on top.
    """

    call: ObservedCall
    attempt: int
    reason: RetryReason
    delay: float


@attrs.frozen
class CallEnded:
    """A call is over. Every `CallStarted` has one.

    Attributes:
        call: which call.
        attempts: attempts that it made.
        elapsed: seconds that it took, including waits.
        error: the class of the exception that the caller gets; None for success.
    """

    call: ObservedCall
    attempts: int
    elapsed: float
    error: type[BaseException] | None


Event: TypeAlias = CallStarted | LimitWait | AttemptSent | AttemptAnswered | AttemptLost | Retry | CallEnded
"""What an observer takes."""

Observer: TypeAlias = Callable[[Event], object]
"""A plain function, or an object that can be called, that takes each event."""


def retry_reason(error: PersonaError) -> RetryReason:
    """Return why an attempt that ended in an error is repeated."""
    match error:
        case TransportError(sent=False):
            return "not_sent"
        case RequestTimeoutError():
            return "timeout"
        case TransportError():
            return "connection_lost"
        case QuotaExceededError():
            return "quota_exceeded"
        case RateLimitError():
            return "rate_limited"
        case _:
            return "server_error"


publish(
    "persona_cases.observers",
    AttemptAnswered,
    AttemptLost,
    AttemptSent,
    CallEnded,
    CallStarted,
    LimitWait,
    ObservedCall,
    Retry,
)
