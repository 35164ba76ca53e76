"""The vendor's error documents, one constructor for each that the simulator answers.

The shapes and titles are those of https://docs.withpersona.com/errors: a list of items with `title`, and
with `details` where the vendor gives them. There is no status inside the document.
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
    """A request that is answered with an error document instead of its result.

    Args:
        status: HTTP status.
        title: what kind of error it is.
        details: what exactly is wrong.
        pointer: JSON pointer to what is wrong in the body; documented for 422 alone.
        headers: headers that belong to the error.
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
        # An exception is copied by calling its class with `args`, which are the title alone.
        return _made, (self.status, self.title, self.details, self.pointer, self.headers)

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
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
    """No key, or one that is not the simulator's; the vendor gives no details here."""
    return AnsweredError(401, "Token is invalid" if key_given else "Must be authenticated to access this endpoint")


def forbidden(details: str) -> AnsweredError:
    """The key is good, the request is not allowed all the same."""
    return AnsweredError(403, "Forbidden", details)


def not_found(place: str | None = None) -> AnsweredError:
    """There is no such object or path, or what the body names at `place` does not exist."""
    return AnsweredError(404, "Record not found", None if place is None else f"{place} is not found")


def method_not_allowed(method: str, allowed: Iterable[str]) -> AnsweredError:
    """The path exists, but not for this method."""
    headers = {"Allow": ", ".join(sorted(allowed))}
    return AnsweredError(405, "Method not allowed", f"{method} is not supported here", headers=headers)


def payload_too_large() -> AnsweredError:
    """The body is larger than the simulator reads."""
    return AnsweredError(413, "Payload too large")


def conflict(details: str) -> AnsweredError:
    """The object is in no state for this."""
    return AnsweredError(409, "Conflict", details)


def not_unique(details: str) -> AnsweredError:
    """There is one already."""
    return AnsweredError(409, "Record not unique", details)


def unprocessable(details: str, pointer: str) -> AnsweredError:
    """The request is well-formed and cannot be carried out; `pointer` is a JSON pointer into its body."""
    return AnsweredError(422, "Unprocessable entity", details, pointer)


def record_invalid(details: str, pointer: str) -> AnsweredError:
    """The same for a value that does not fit the schema of its field."""
    return AnsweredError(422, "Record invalid", details, pointer)


def idempotency_error(key: str) -> AnsweredError:
    """The idempotency key was used before, for something else."""
    return AnsweredError(400, "Idempotency error", f"Idempotency key {key} was used with other parameters before")


def quota_exceeded(limit: int, status: int) -> AnsweredError:
    """So many cases were created that no more may be for now; the text is the vendor's."""
    return AnsweredError(
        status,
        "Quota exceeded",
        f"You have hit your create_case quota limit of {limit} requests. "
        "Please reach out to support@withpersona.com if you need this changed.",
    )


def rate_limited(limit: int, seconds: float) -> AnsweredError:
    """The window is used up; the text is the vendor's, with the numbers in force."""
    period = "min" if seconds == 60 else f"{seconds:g} s"
    return AnsweredError(
        429,
        "Rate limit exceeded",
        f"You have hit your rate limit of {limit} requests / {period}. "
        "Please reach out to support@withpersona.com if you need this changed.",
    )
