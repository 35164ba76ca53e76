"""The consequences of each kind of failure: one table for calls, tests and documentation.

The vendor's rules: https://docs.withpersona.com/errors and https://docs.withpersona.com/idempotence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from persona_cases.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    PersonaError,
    RateLimitError,
    ServerError,
    TransportError,
)
from persona_cases.protocol.message import Safety

__all__ = ["RULES", "AttemptFailure", "Rule", "failure_of"]


class AttemptFailure(enum.Enum):
    """How an attempt failed."""

    UNSENT = "unsent"
    """The request certainly was not sent: no connection was made."""

    REFUSED = "refused"
    """A 429 response, or a 403 for a quota: the API responds before it carries out anything."""

    LOST = "lost"
    """The connection broke, or the timeout passed, after the request may have been sent."""

    FAILED = "failed"
    """408 or 5xx: the request may have been carried out nevertheless."""

    UNREADABLE = "unreadable"
    """A success whose body is not the API's document, such as a proxy's page, an empty body, or one that is too large.

    The request may have been carried out, or may never have reached the API.
    """

    UNKNOWN_KEY = "unknown key"
    """401: like a 429, it comes before the API looks up an idempotency key."""

    CONFLICT = "conflict"
    """409: another change conflicts, perhaps an earlier attempt of the same call."""

    REJECTED = "rejected"
    """Any other response that is not a success."""


class Rule(msgspec.Struct, frozen=True):
    """The consequences of a failure.

    Attributes:
        again: whether another attempt follows, as far as the `RetryPolicy` allows.
        in_doubt: whether the request may have been carried out.
        settles: whether the response also shows that no earlier attempt was carried out.
    """

    again: bool = False
    in_doubt: bool = False
    settles: bool = False


_AGAIN, _RAISED, _STORED = Rule(again=True), Rule(), Rule(settles=True)
_AGAIN_IN_DOUBT, _IN_DOUBT = Rule(again=True, in_doubt=True), Rule(in_doubt=True)


def _rules(lost: Rule, failed: Rule, unreadable: Rule, rejected: Rule) -> dict[AttemptFailure, Rule]:
    return {
        AttemptFailure.UNSENT: _AGAIN,
        AttemptFailure.REFUSED: _AGAIN,
        AttemptFailure.LOST: lost,
        AttemptFailure.FAILED: failed,
        AttemptFailure.UNREADABLE: unreadable,
        AttemptFailure.UNKNOWN_KEY: _RAISED,
        AttemptFailure.CONFLICT: _RAISED,
        AttemptFailure.REJECTED: rejected,
    }


RULES: Mapping[Safety, Mapping[AttemptFailure, Rule]] = MappingProxyType(
    {
        # The same wrong body would come again, so the client does not retry.
        Safety.READ: _rules(_AGAIN, _AGAIN, _RAISED, _RAISED),
        # The response to a key is the stored outcome of its first request, except for a 409: the first request may
        # still be in flight.
        Safety.KEYED: _rules(_AGAIN_IN_DOUBT, _AGAIN_IN_DOUBT, _IN_DOUBT, _STORED),
        # Without a key, a response is only about the last attempt. A repeated redaction may conflict because the first
        # one succeeded.
        Safety.REPEATABLE: _rules(_AGAIN_IN_DOUBT, _AGAIN_IN_DOUBT, _IN_DOUBT, _RAISED),
        Safety.ONCE: _rules(_IN_DOUBT, _IN_DOUBT, _IN_DOUBT, _RAISED),
    }
)
"""The rule for each kind of request and each failure."""


def failure_of(error: PersonaError) -> AttemptFailure:
    """Return the kind of failure that an error represents."""
    match error:
        case TransportError():
            return AttemptFailure.LOST if error.sent else AttemptFailure.UNSENT
        case RateLimitError():
            return AttemptFailure.REFUSED
        case ServerError():
            return AttemptFailure.FAILED
        case DecodeError():
            return AttemptFailure.UNREADABLE
        case AuthenticationError():
            return AttemptFailure.UNKNOWN_KEY
        case ConflictError():
            return AttemptFailure.CONFLICT
        case _:
            return AttemptFailure.REJECTED
