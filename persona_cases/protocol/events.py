"""The events that observers receive: frozen values, a closed union to `match` on.

No event has a body, a query string, an id of an object, a header or a key. `path_template` identifies the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

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


class ObservedCall(msgspec.Struct, frozen=True):
    """The call that an event belongs to; the same object in all its events.

    Attributes:
        number: a number that is unique among the calls of this process.
        method: the HTTP method.
        path_template: the path with `{id}` in place of ids, such as `/cases/{id}`; `/{attachment}` for a file.
        host: `api`, or `files` for the download of a file, which the API's limits do not count.
    """

    number: int
    method: str
    path_template: str
    host: Literal["api", "files"] = "api"


class CallStarted(msgspec.Struct, frozen=True):
    """A call begins: one use of a client method, with all its attempts."""

    call: ObservedCall


class LimitWait(msgspec.Struct, frozen=True):
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


class AttemptSent(msgspec.Struct, frozen=True):
    """A request goes to the network. A middleware may send several for one attempt, or none.

    Attributes:
        call: which call.
        attempt: which attempt of the call, counted from 1.
        waited: seconds since the call began or since its last attempt ended, such as for the rate limit.
        address: the host that it goes to. For a file, the first host, which may redirect to others.
        port: the port of that host.
    """

    call: ObservedCall
    attempt: int
    waited: float
    address: str
    port: int


class AttemptAnswered(msgspec.Struct, frozen=True):
    """A complete response arrived, with any status.

    Attributes:
        call: which call.
        attempt: which attempt of the call, counted from 1.
        status: the HTTP status.
        request_id: the vendor's id of the request; None if the response has none.
        seconds: seconds since the request went to the network.
        rate_limit: the rate limit that the response reports, if any.
        case_quota: the quota of case creation that it reports, if any.
    """

    call: ObservedCall
    attempt: int
    status: int
    request_id: str | None
    seconds: float
    rate_limit: WindowReading | None = None
    case_quota: WindowReading | None = None


class AttemptLost(msgspec.Struct, frozen=True):
    """No complete response arrived, or it is larger than `max_answer_bytes`.

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


class Retry(msgspec.Struct, frozen=True):
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


class CallEnded(msgspec.Struct, frozen=True):
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
"""Any event that an observer receives."""

Observer: TypeAlias = Callable[[Event], object]
"""A function or callable object, not async, that receives each event."""


def retry_reason(error: PersonaError) -> RetryReason:
    """Return why the client retries after an error."""
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
