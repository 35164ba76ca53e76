"""The vendor's error documents, with one constructor per kind of error.

The form and titles follow https://docs.withpersona.com/errors: a list of items with a `title`, and with `details` where
the vendor has them. The document does not contain the status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "AnsweredError",
    "bad_request",
    "conflict",
    "forbidden",
    "idempotency_error",
    "method_not_allowed",
    "not_found",
    "not_unique",
    "payload_too_large",
    "quota_exceeded",
    "rate_limited",
    "record_invalid",
    "unauthorized",
    "unprocessable",
]


class AnsweredError(Exception):
    """A request gets an error document instead of its result.

    Args:
        status: HTTP status.
        title: the kind of error.
        details: the exact problem.
        pointer: JSON pointer to the problem in the body; documented only for 422.
        headers: headers of the error.
    """

    def __init__(
        self,
        status: int,
        title: str,
        details: str | None = None,
        pointer: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.headers: Mapping[str, str] = headers or {}
        self.status = status
        self.title = title
        self.details = details
        self.pointer = pointer

    def __reduce__(self) -> Any:
        # Copying an exception calls its class with `args`, which contain only the title.
        return _made, (self.status, self.title, self.details, self.pointer, self.headers)

    def document(self) -> dict[str, Any]:
        """Return the body of the response."""
        item: dict[str, Any] = {"title": self.title}
        if self.details is not None:
            item["details"] = self.details
        if self.pointer is not None:
            item["source"] = {"pointer": self.pointer}
        return {"errors": [item]}


def _made(
    status: int, title: str, details: str | None, pointer: str | None, headers: Mapping[str, str]
) -> AnsweredError:
    return AnsweredError(status, title, details, pointer, headers=headers)


def bad_request(details: str) -> AnsweredError:
    """The request is malformed, and `details` says where."""
    return AnsweredError(400, "Bad Request", details)


def unauthorized(*, key_given: bool) -> AnsweredError:
    """There is no key, or it is not the simulator's; the vendor gives no details here."""
    return AnsweredError(401, "Token is invalid" if key_given else "Must be authenticated to access this endpoint")


def forbidden(details: str) -> AnsweredError:
    """The key is valid, but the request is not allowed."""
    return AnsweredError(403, "Forbidden", details)


def not_found(place: str | None = None) -> AnsweredError:
    """There is no such object or path, or the object that the body names at `place` does not exist."""
    return AnsweredError(404, "Record not found", None if place is None else f"{place} is not found")


def method_not_allowed(method: str, allowed: Iterable[str]) -> AnsweredError:
    """The path exists, but not for this method."""
    headers = {"Allow": ", ".join(sorted(allowed))}
    return AnsweredError(405, "Method not allowed", f"{method} is not supported here", headers=headers)


def payload_too_large() -> AnsweredError:
    """The body is larger than the simulator reads."""
    return AnsweredError(413, "Payload too large")


def conflict(details: str) -> AnsweredError:
    """The state of the object does not allow this."""
    return AnsweredError(409, "Conflict", details)


def not_unique(details: str) -> AnsweredError:
    """There is one already."""
    return AnsweredError(409, "Record not unique", details)


def unprocessable(details: str, pointer: str) -> AnsweredError:
    """The request is well-formed but cannot be carried out; `pointer` is a JSON pointer into its body."""
    return AnsweredError(422, "Unprocessable entity", details, pointer)


def record_invalid(details: str, pointer: str) -> AnsweredError:
    """A value does not fit the schema of its field."""
    return AnsweredError(422, "Record invalid", details, pointer)


def idempotency_error(key: str) -> AnsweredError:
    """The idempotency key was already used for another request."""
    return AnsweredError(400, "Idempotency error", f"Idempotency key {key} was used with other parameters before")


def quota_exceeded(limit: int, status: int) -> AnsweredError:
    """The quota of case creation is exhausted; the text is the vendor's."""
    return AnsweredError(
        status,
        "Quota exceeded",
        f"You have hit your create_case quota limit of {limit} requests. "
        "Please reach out to support@withpersona.com if you need this changed.",
    )


def rate_limited(limit: int, seconds: float) -> AnsweredError:
    """The window is exhausted; the text is the vendor's, with the current numbers."""
    period = "min" if seconds == 60 else f"{seconds:g} s"
    return AnsweredError(
        429,
        "Rate limit exceeded",
        f"You have hit your rate limit of {limit} requests / {period}. "
        "Please reach out to support@withpersona.com if you need this changed.",
    )
