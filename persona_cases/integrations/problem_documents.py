"""The problem documents with which a web service reports errors of the API to its own clients. Pure.

They follow RFC 9457. They contain nothing that the vendor wrote and nothing of a request, because the clients of a
service are not customers of the vendor.
"""

from __future__ import annotations

import math
from typing import Any, Final

import attrs

from persona_cases.errors import (
    APIError,
    ClientStateError,
    ConflictError,
    DecodeError,
    IndeterminateError,
    NotFoundError,
    PaginationError,
    PersonaError,
    QueryError,
    RateLimitError,
    RequestTimeoutError,
    TransportError,
    UnprocessableEntityError,
)

__all__ = ["MEDIA_TYPE", "Problem", "problem_of"]

MEDIA_TYPE: Final = "application/problem+json"


@attrs.frozen
class Problem:
    """An error response of a web service.

    Attributes:
        status: its HTTP status.
        title: a short description of the problem.
        detail: advice for the caller.
        members: additional members of the document.
        headers: headers of the response.
    """

    status: int
    title: str
    detail: str
    members: dict[str, Any] = attrs.field(factory=dict[str, Any])
    headers: dict[str, str] = attrs.field(factory=dict[str, str])

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }


def problem_of(error: PersonaError, *, rate_limit_status: int) -> Problem | None:
    """Return the response to an error; None for an error of the program itself, which stays an error.

    Args:
        error: the error that a call of the client raised.
        rate_limit_status: the status for an exhausted limit, 429 or 503.
    """
    match error:
        case NotFoundError():
            return Problem(404, "Not Found", "There is no such object.")
        case ConflictError():
            return Problem(409, "Conflict", "The object is not in a state that allows this.")
        case UnprocessableEntityError():
            return Problem(422, "Unprocessable Content", "The values do not fit the object.")
        case RateLimitError():
            return _limited(error, rate_limit_status)
        case QueryError():
            pointer = {} if error.pointer is None else {"pointer": error.pointer}
            # The library wrote the message. It is only about the query, and contains no values.
            return Problem(422, "Unprocessable Content", f"The query cannot be asked: {error}", pointer)
        case IndeterminateError():
            return _unanswered(error.idempotency_key, "The change may have been made: look before you repeat it.")
        case RequestTimeoutError():
            return _unanswered(error.idempotency_key, "Try again.")
        case ClientStateError():
            return Problem(503, "Service Unavailable", "The service is starting or stopping. Try again.")
        case APIError() | TransportError() | DecodeError() | PaginationError():
            return Problem(502, "Bad Gateway", "The service could not use what it depends on.")
        case _:
            return None


def _unanswered(key: str | None, advice: str) -> Problem:
    members = {} if key is None else {"idempotency_key": key}
    return Problem(504, "Gateway Timeout", f"No answer came in time. {advice}", members)


def _limited(error: RateLimitError, status: int) -> Problem:
    title = "Too Many Requests" if status == 429 else "Service Unavailable"
    wait = getattr(error, "retry_after", None)
    headers = {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
    return Problem(status, title, "Too many requests were made. Try again later.", headers=headers)
