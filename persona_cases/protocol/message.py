"""Requests and responses as plain values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs
import msgspec

from persona_cases.errors import DecodeError, printable
from persona_cases.protocol.foreign_answers import why_not_json
from persona_cases.protocol.headers import Headers, as_headers
from persona_cases.protocol.naming import path_template
from persona_cases.surface import publish

QueryPairs = tuple[tuple[str, str], ...]


class Safety(enum.Enum):
    """Whether the client may repeat a request when it does not know whether it was carried out."""

    READ = "read"
    """Changes nothing, so the client may always repeat it."""

    KEYED = "keyed"
    """A POST under an idempotency key: the API carries it out at most once in 24 hours."""

    REPEATABLE = "repeatable"
    """Sets a state (PUT, DELETE), so carrying it out twice has the same effect as once."""

    ONCE = "once"
    """May have an effect at each attempt, and no key protects it (PATCH).

    The client repeats it only if it certainly was not carried out.
    """


def _no_headers() -> dict[str, str]:
    # `dict[str, str]` would take several times as long, because it tries to note its arguments in each dictionary.
    return {}


# Every call makes one, and with slots a frozen class takes half as long again to set its fields.
@attrs.frozen(slots=False)
class Request:
    """One request to the API, without the secrets and settings that the transport adds.

    Attributes:
        method: the HTTP method, in capitals.
        path: the path below the base URL, already percent-encoded, starting with `/`.
        query: the query parameters in order, not yet encoded.
        body: the JSON document to send.
        headers: additional headers.
        safety: whether it may be repeated when the outcome is unknown.
        idempotency_key: the key that all attempts of this call carry.
        attempt: the number of this attempt, counted from 1. Middleware can read it.
    """

    method: str
    path: str
    query: QueryPairs = attrs.field(default=(), repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=_no_headers, repr=False, hash=False)
    safety: Safety = Safety.READ
    idempotency_key: str | None = attrs.field(default=None, repr=False)
    attempt: int = 1

    @cached_property
    def path_template(self) -> str:
        """The path with `{id}` in place of ids, such as `/cases/{id}/assign`: safe to log, and a name for metrics."""
        return path_template(self.path)

    def with_query(self, query: QueryPairs) -> Request:
        """Return a copy with another query; it costs less than `attrs.evolve`, and keeps `path_template`.

        Args:
            query: the query parameters in order, not yet encoded.
        """
        copy = object.__new__(type(self))
        vars(copy).update(vars(self), query=query, path_template=self.path_template)
        return copy

    @property
    def creates_case(self) -> bool:
        """Whether the request counts against the quota of case creation, in addition to the rate limit."""
        return self.method == "POST" and self.path == "/cases"


@attrs.frozen
class Response:
    """A complete response: its body has been read, and the connection released.

    Attributes:
        status: the HTTP status.
        headers: the headers, with case-insensitive names.
        body: the bytes of the body.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=Headers, converter=as_headers, repr=False, hash=False)
    body: bytes = attrs.field(default=b"", repr=False)

    @property
    def request_id(self) -> str | None:
        """The vendor's id of the request. See https://docs.withpersona.com/request-ids."""
        told = self.headers.get("request-id")
        return None if told is None else printable(told)

    def json(self) -> Any:
        """Decode the body.

        Raises:
            DecodeError: if it is not JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The error is raised below, because a UnicodeDecodeError holds the body and would become its context here.
            pass
        raise DecodeError(why_not_json(self.headers, self.body), request_id=self.request_id)

    @property
    def ok(self) -> bool:
        """Whether the status is a success (2xx)."""
        return 200 <= self.status < 300


publish("persona_cases", Request, Response, Safety)
