"""Every error that this library raises on purpose: one tree, rooted at `PersonaError`.

Three rules hold for all of them:

* They can be pickled and copied, so they survive process pools and task queues.
* `str()` and `repr()` never show an API key, a field value or a response body. The vendor's `details` and `meta` may
  quote such data, so they are kept in attributes and left out of messages.
* An error raised while iterating over pages carries the `cursor` from which `Pager.resume` continues.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, cast

import attrs

from persona_cases.surface import publish

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "ClientStateError",
    "ConflictError",
    "ConnectionFailedError",
    "DecodeError",
    "ErrorItem",
    "IndeterminateError",
    "InvalidArgumentError",
    "NotFoundError",
    "NotLoadedError",
    "PaginationError",
    "PermissionDeniedError",
    "PersonaError",
    "QueryError",
    "QueryTooComplexError",
    "QueryTypeError",
    "QuotaExceededError",
    "RateLimitError",
    "RequestTimeoutError",
    "ResultCountError",
    "ServerError",
    "TransportError",
    "UnknownAttributeError",
    "UnprocessableEntityError",
]

# The function that pickle uses to make an object without its constructor; typeshed does not declare it.
_make = cast("Any", copyreg).__newobj__

_LONGEST_TITLE = 120
_MOST_TITLES = 3
_PLACE_REFUSED = (
    ": the server may no longer know the case that this cursor names, because it was removed: start again, or search "
    "from the creation time of the last case"
)


class PersonaError(Exception):
    """The root of the tree: `except PersonaError` catches everything this library raises on purpose.

    Attributes:
        cursor: where `Pager.resume` continues, if the error ended an iteration over pages. It is always a string then:
            an opaque token stands for the beginning. None if the error was raised elsewhere.
        method: the HTTP method of the call that the error ended; like the next three, None if there was no call.
        path_template: its path with `{id}` in place of ids, such as `/cases/{id}`.
        attempts: how many requests the call sent.
        elapsed: seconds that the call took, including waits.
    """

    cursor: str | None = None
    method: str | None = None
    path_template: str | None = None
    attempts: int | None = None
    elapsed: float | None = None

    def __str__(self) -> str:
        return f"{self._said()}{self._whereabouts(None)}"

    def _said(self) -> str:
        return super().__str__()

    def _whereabouts(self, request_id: str | None, *, named: bool = True) -> str:
        parts: list[str] = []
        if self.method is not None and named:
            parts.append(f"{self.method} {self.path_template}")
        if self.attempts is not None:
            took = "" if self.elapsed is None else f" in {self.elapsed:.1f} s"
            parts.append(f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}{took}")
        if request_id:
            parts.append(f"request {printable(request_id)}")
        return f" ({', '.join(parts)})" if parts else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only constructors cannot be replayed from `args`; restoring the state needs no constructor.
        return _make, (type(self),), {**self.__dict__, "args": self.args}


class Answered(NamedTuple):
    """A call that got a response, so that errors found in the response later can name it.

    Attributes:
        method: the HTTP method.
        path_template: the path with `{id}` in place of ids.
        attempts: how many requests it took.
        elapsed: seconds that it took, including waits.
        request_id: the vendor's id of the last request.
    """

    method: str
    path_template: str
    attempts: int
    elapsed: float
    request_id: str | None = None

    def describe(self, error: PersonaError) -> None:
        """Record in an error which call it ended, unless it already says so."""
        if error.method is None:
            error.method, error.path_template = self.method, self.path_template
            error.attempts, error.elapsed = self.attempts, self.elapsed
        if isinstance(error, DecodeError) and error.request_id is None:
            error.request_id = self.request_id


class naming:  # noqa: N801 - iterations pass one per page, and one made from a generator takes five times as long
    """Make errors raised inside the block name the latest of these calls."""

    __slots__ = ("_calls",)

    def __init__(self, *calls: Answered | None) -> None:
        self._calls = calls

    def __enter__(self) -> None: ...

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, PersonaError):
            for call in self._calls[::-1]:
                if call is not None:
                    call.describe(error)


class InvalidArgumentError(PersonaError, ValueError):
    """An argument or a setting is invalid; the message names it and says what to do."""


class ClientStateError(PersonaError, RuntimeError):
    """The client was used after it was closed, or in an event loop other than its own."""


class NotLoadedError(PersonaError, LookupError):
    """An attribute was read that the request did not load (`only=`, `include=`)."""


class DecodeError(PersonaError):
    """The response does not match the API's contract.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the offending value in the document, `""` for the whole document.
        request_id: the vendor's id of the request, if the document came from one.
        case_id: the id of the case that cannot be decoded, if it is one case of a page and its id is readable.
    """

    def __init__(
        self, reason: str, *, pointer: str = "", request_id: str | None = None, case_id: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer
        self.request_id = request_id
        self.case_id = case_id

    def __str__(self) -> str:
        whose = f" in case {self.case_id}" if self.case_id else ""
        where = f" at {self.pointer}" if self.pointer else ""
        return f"{self.reason}{whose}{where}{self._whereabouts(self.request_id)}"


class PaginationError(PersonaError):
    """The iteration cannot continue: the server repeated a cursor or linked to another place."""


class ResultCountError(PersonaError, LookupError):
    """`one()` found no result, or more than one."""


class QueryError(PersonaError, ValueError):
    """A search expression is invalid.

    Attributes:
        pointer: JSON pointer of the offending node, when the expression was read from JSON.
    """

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer


class QueryTypeError(QueryError, TypeError):
    """A search expression contains a value of the wrong type, or was used with Python's `and`, `or` or `not`."""


class UnknownAttributeError(QueryError, AttributeError):
    """`Q` has no such attribute; the message names the nearest one that exists."""


class QueryTooComplexError(QueryError):
    """The expression does not fit the API's limits on nesting and width.

    Attributes:
        pointer: JSON pointer to the part that exceeds the limits, if the expression was planned.
        searches_needed: the minimum number of searches it would take; None if no number would suffice.
    """

    def __init__(self, message: str, *, pointer: str | None = None, searches_needed: int | None = None) -> None:
        super().__init__(message, pointer=pointer)
        self.searches_needed = searches_needed


class TransportError(PersonaError):
    """The request got no response, or an incomplete one.

    Attributes:
        sent: False if the request certainly never reached the server.
        idempotency_key: the key that its attempts carried, if any.
    """

    def __init__(
        self, message: str, *, sent: bool = True, attempts: int | None = None, idempotency_key: str | None = None
    ) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts
        self.idempotency_key = idempotency_key


class RequestTimeoutError(TransportError, TimeoutError):
    """The request, or all its attempts together, took longer than allowed."""


class ConnectionFailedError(TransportError, ConnectionError):
    """The connection could not be made, or broke before the whole response was read."""


@attrs.frozen
class ErrorItem:
    """One entry of the vendor's `errors` list.

    Attributes:
        title: a short, stable string that names the problem, such as `Record not found`.
        details: what the vendor adds. It may quote the request's values: do not log it unread.
        meta: additional machine-readable data, under the same caution.
        pointer: JSON pointer into the request body (`source.pointer`), if the vendor gave one.

    See https://docs.withpersona.com/errors.
    """

    title: str
    details: str | None = attrs.field(default=None, repr=False)
    meta: Mapping[str, Any] | None = attrs.field(default=None, repr=False, hash=False)
    pointer: str | None = None


class APIError(PersonaError):
    """The API responded with an error status.

    Attributes:
        status: the HTTP status; None if the request was not sent and so has no response (`RateLimitError`).
        errors: the vendor's description of the errors; empty if the body does not have the documented shape.
        request_id: the vendor's `Request-Id`; name it in support requests.
        idempotency_key: the key that its attempts carried, if any.
        retry_after: seconds until a request may succeed, if the response says so.
        place_refused: whether the request was for a page after a cursor, and the response may mean that the server no
            longer knows the cursor, because the case there was removed.

    See https://docs.withpersona.com/errors.
    """

    place_refused: bool = False

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None,
        errors: tuple[ErrorItem, ...] = (),
        request_id: str | None = None,
        attempts: int | None = None,
        idempotency_key: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or "")
        self.message = message
        self.status = status
        self.errors = errors
        self.request_id = request_id
        self.attempts = attempts
        self.idempotency_key = idempotency_key
        self.retry_after = retry_after

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of all `errors`."""
        return tuple(item.title for item in self.errors)

    def __str__(self) -> str:
        status = "" if self.status is None else f"{self.status} "
        advice = _PLACE_REFUSED if self.place_refused else ""
        return f"{status}{self._said()}{self._whereabouts(self.request_id)}{advice}"

    def _said(self) -> str:
        return self.message or _headlines(self.errors) or "no error document in the response"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class BadRequestError(APIError):
    """400: the request is malformed, or an idempotency key was reused with other parameters."""


class AuthenticationError(APIError):
    """401: there is no API key, or the API does not know it."""


class PermissionDeniedError(APIError):
    """403: the key lacks a permission, the address is not allowed, or the feature is off."""


class NotFoundError(APIError):
    """404: there is no such object in the key's environment.

    Attributes:
        missing: what was not found, if the call names several objects: `the user` if the API's details say so, or else
            every candidate, such as `the case or the user`.
    """

    missing: str | None = None

    def _said(self) -> str:
        said = super()._said()
        return said if self.missing is None or any(item.pointer for item in self.errors) else f"{said}: {self.missing}"


class ConflictError(APIError):
    """409: the object was changed in the meantime (`Stale object error`), or its state does not allow the request."""


class UnprocessableEntityError(APIError):
    """422: the API understood the request, but the rules of the template or the organisation reject it."""


class RateLimitError(APIError):
    """429, or the wait for the rate limit would exceed `max_wait`.

    Attributes:
        status: 429; None if the request was not sent because the wait would have been too long.
        retry_after: seconds until a request may succeed, if known.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        errors: tuple[ErrorItem, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, errors=errors, request_id=request_id, retry_after=retry_after)


class QuotaExceededError(RateLimitError):
    """A product's quota, such as case creation, is used up; the rate limit itself may not be.

    The vendor responds with 429 or 403; the error's title tells them apart from other errors.
    """


class ServerError(APIError):
    """5xx or 408: the API, or a proxy in front of it, failed."""


class IndeterminateError(PersonaError):
    """A write whose outcome is unknown: it may or may not have been carried out.

    Read the object back before you repeat the write. It is not a `ServerError`, so code that retries after server
    errors does not repeat such a write. Its `__cause__` is the underlying error.

    Attributes:
        status: the HTTP status of that error; None if no response arrived, or an unreadable one.
        errors: the vendor's description of the errors in that response.
        request_id: the vendor's id of that request.
        idempotency_key: the key under which the vendor may have stored an outcome for 24 hours.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        errors: tuple[ErrorItem, ...] = (),
        request_id: str | None = None,
        attempts: int | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors
        self.request_id = request_id
        self.attempts = attempts
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        # The sentence already names the call.
        return f"{self._said()}{self._whereabouts(self.request_id, named=False)}"


def printable(text: str, most: int = _LONGEST_TITLE) -> str:
    """Return untrusted text on one line, printable and at most `most` characters long."""
    # Cut first: untrusted text may be megabytes long.
    shown = text[: 2 * most]
    if not shown.isprintable():
        shown = "".join(each if each.isprintable() else " " for each in shown)
    return " ".join(shown.split())[:most]


def _headlines(items: tuple[ErrorItem, ...]) -> str:
    shown = "; ".join(map(_headline, items[:_MOST_TITLES]))
    left = len(items) - _MOST_TITLES
    return f"{shown}; and {left} more" if left > 0 else shown


def _headline(item: ErrorItem) -> str:
    title = printable(item.title)
    return f"{title} at {printable(item.pointer)}" if item.pointer else title


publish("persona_cases", *(globals()[name] for name in __all__))


def __dir__() -> list[str]:
    return __all__
