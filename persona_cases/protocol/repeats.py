"""What follows from each end of an attempt: one table, for the attempt loop, the tests and the documentation.

The vendor's rules: https://docs.withpersona.com/errors and https://docs.withpersona.com/idempotence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs

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

__all__ = ["RULES", "Ending", "Rule", "ending_of"]


class Ending(enum.Enum):
    """How an attempt ended, if not in a success."""

    UNSENT = "unsent"
    """The request certainly never left: no connection was made."""

    REFUSED = "refused"
    """The rate limit or a quota refused it, which happens before anything is carried out."""

    LOST = "lost"
    """The connection broke, or time ran out, after the request may have left."""

    FAILED = "failed"
    """408 or 5xx: it may have been carried out all the same."""

    UNREADABLE = "unreadable"
    """A success whose answer is not the API's document: a proxy's page, say, an empty body, or too large a one. It may
    have been carried out, or never have come to the API."""

    UNKNOWN_KEY = "unknown key"
    """401: like a refusal, it comes before an idempotency key is looked up."""

    CONFLICT = "conflict"
    """409: another change was in the way, perhaps an earlier attempt of the same call."""

    REJECTED = "rejected"
    """Any other answer that is no success."""


@attrs.frozen
class Rule:
    """What follows from the end of an attempt.

    Attributes:
        again: whether there is another attempt, as far as the `RetryPolicy` allows.
        in_doubt: whether the request may have been carried out.
        settles: whether the answer also tells that no earlier attempt was carried out.
    """

    again: bool = False
    in_doubt: bool = False
    settles: bool = False


_AGAIN, _RAISED, _STORED = Rule(again=True), Rule(), Rule(settles=True)
_AGAIN_IN_DOUBT, _IN_DOUBT = Rule(again=True, in_doubt=True), Rule(in_doubt=True)


def _rules(lost: Rule, failed: Rule, unreadable: Rule, rejected: Rule) -> dict[Ending, Rule]:
    return {
        Ending.UNSENT: _AGAIN,
        Ending.REFUSED: _AGAIN,
        Ending.LOST: lost,
        Ending.FAILED: failed,
        Ending.UNREADABLE: unreadable,
        Ending.UNKNOWN_KEY: _RAISED,
        Ending.CONFLICT: _RAISED,
        Ending.REJECTED: rejected,
    }


RULES: Mapping[Safety, Mapping[Ending, Rule]] = MappingProxyType(
    {
        # What comes instead of the API's document comes at the next attempt too, so nothing is repeated for it.
        Safety.READ: _rules(_AGAIN, _AGAIN, _RAISED, _RAISED),
        # An answer to a key is the stored outcome of its first request, except for a 409: the first request may still
        # be under way.
        Safety.KEYED: _rules(_AGAIN_IN_DOUBT, _AGAIN_IN_DOUBT, _IN_DOUBT, _STORED),
        # Without a key, an answer is about the last attempt alone. A redaction that is repeated may be a conflict
        # because the first one succeeded.
        Safety.REPEATABLE: _rules(_AGAIN_IN_DOUBT, _AGAIN_IN_DOUBT, _IN_DOUBT, _RAISED),
        Safety.ONCE: _rules(_IN_DOUBT, _IN_DOUBT, _IN_DOUBT, _RAISED),
    }
)
"""The rule for each kind of request and each end of an attempt."""


def ending_of(error: PersonaError) -> Ending:
    """Return how an attempt ended that ended in this error."""
    match error:
        case TransportError():
            return Ending.LOST if error.sent else Ending.UNSENT
        case RateLimitError():
            return Ending.REFUSED
        case ServerError():
            return Ending.FAILED
        case DecodeError():
            return Ending.UNREADABLE
        case AuthenticationError():
            return Ending.UNKNOWN_KEY
        case ConflictError():
            return Ending.CONFLICT
        case _:
            return Ending.REJECTED
