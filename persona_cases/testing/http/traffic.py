"""Requests as the simulator received them, and responses before they are sent."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, overload
from urllib.parse import parse_qsl

import attrs
import msgspec

from persona_cases.surface import publish

__all__ = ["Answer", "ReceivedRequest", "RequestLog"]

JSON_TYPE = "application/json; charset=utf-8"
_KEPT = 10_000


@attrs.frozen
class Answer:
    """A response that the simulator will send.

    Attributes:
        status: the HTTP status.
        headers: all headers except those that HTTP itself needs.
        body: the bytes of the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    @classmethod
    def json(cls, status: int, document: Any, headers: Mapping[str, str]) -> Answer:
        """Return a response with a JSON document.

        Args:
            status: the HTTP status.
            document: the document.
            headers: additional headers.

        Returns:
            The response.
        """
        return cls(status, {"Content-Type": JSON_TYPE, **headers}, msgspec.json.encode(document))


@attrs.define(eq=False)
class ReceivedRequest:
    """One request, as it arrived.

    Attributes:
        method: `GET`, `POST`, ...
        path: decoded path below `/api/v1`, such as `/cases/search`; the whole path if it is elsewhere.
        query: the query string as sent, without the question mark.
        headers: headers by lower-case name; `authorization` is left out.
        body: the bytes of the body.
        received_at: when it arrived, in seconds on the simulator's monotonic clock.
        status: the status of the response; None if there is none (yet).
        fault: the name of the scripted fault that happened to the request.
        in_api: whether the path is below `/api/v1`.
        replayed: whether its idempotency key brought back an earlier response.
        authorized: whether it had a header `Authorization`, valid or not.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    received_at: float = 0.0
    status: int | None = None
    fault: str | None = None
    in_api: bool = True
    replayed: bool = False
    authorized: bool = False

    @property
    def params(self) -> dict[str, str]:
        """The query parameters, decoded."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self) -> Any:
        """Decode the body as JSON.

        Returns:
            The document; None if the body is empty.

        Raises:
            msgspec.DecodeError: if the body is not JSON.
        """
        return msgspec.json.decode(self.body) if self.body else None


class RequestLog(Sequence[ReceivedRequest]):
    """The requests that a simulator received, oldest first; it keeps the latest 10,000."""

    def __init__(self) -> None:
        self._requests: deque[ReceivedRequest] = deque(maxlen=_KEPT)

    def __repr__(self) -> str:
        return f"<RequestLog: {len(self)} requests>"

    @overload
    def __getitem__(self, index: int) -> ReceivedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ReceivedRequest]: ...
    def __getitem__(self, index: int | slice) -> ReceivedRequest | Sequence[ReceivedRequest]:
        if isinstance(index, slice):
            return list(self._requests)[index]
        return self._requests[index]

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[ReceivedRequest]:
        return iter(self._requests)

    def record(self, request: ReceivedRequest) -> None:
        """Append a request."""
        self._requests.append(request)

    def matching(self, method: str | None = None, path: str | None = None) -> list[ReceivedRequest]:
        """Return the requests with this method and this exact path.

        Args:
            method: the method; None matches all.
            path: the path; None matches all.

        Returns:
            The requests, oldest first.
        """
        return [
            request for request in self._requests if method in {None, request.method} and path in {None, request.path}
        ]

    def assert_none_refused(self, *, allow: Collection[int] = ()) -> None:
        """Check that the API would accept every request; scripted faults do not count.

        Args:
            allow: statuses that the test expects, such as 404 in the test of a missing case.

        Raises:
            AssertionError: if responses have a status of 400 or above; the message lists the requests.
        """
        refused = [
            f"{request.method} {request.path}: {request.status} {_phrase(request.status)}"
            for request in self._requests
            if request.status is not None
            and request.status >= HTTPStatus.BAD_REQUEST
            and request.status not in allow
            and request.fault is None
        ]
        if refused:
            listed = "\n".join(f"  {line} ({count} times)" for line, count in Counter(refused).items())
            raise AssertionError(f"the simulator refused {len(refused)} of {len(self)} requests:\n{listed}")

    def clear(self) -> None:
        """Clear the log."""
        self._requests.clear()


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


publish("persona_cases.testing", Answer, ReceivedRequest, RequestLog)
