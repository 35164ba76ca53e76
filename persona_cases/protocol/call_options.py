"""The settings of a call: frozen values that `with_options` copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import cast

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import plain_seconds, plain_seconds_or_none, seconds, whole_number
from persona_cases.protocol.events import Observer
from persona_cases.protocol.retry import RetryPolicy
from persona_cases.surface import publish
from persona_cases.teaching import Lessons, taught

DEFAULT_VERSION = "2025-12-08"
DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_RESERVED = {
    "authorization": "pass api_key to PersonaClient",
    "content-type": "bodies are always JSON",
    "idempotency-key": "pass idempotency_key to the call",
    "key-inflection": "use to_dict(inflection=...) on what comes back",
    "persona-version": "pass version",
}


_LESSONS = Lessons(
    constructor=True,
    arguments={
        "timeout seconds": "write total=",
        "sock_read read_timeout": "write read=",
        "sock_connect connect_timeout": "write connect=",
        "pool": "waiting for a connection counts in total=",
    },
    calls={"__init__": "takes its limits by name: write Timeout(total=...)"},
)


@taught(_LESSONS)
@attrs.frozen(kw_only=True)
class Timeout:
    """How long one attempt may take. Waiting for the rate limit does not count.

    Attributes:
        total: seconds from the start to the last byte of the response.
        connect: seconds to make the connection.
        read: seconds without a byte of the response. It shortens an attempt only if it is less than `total`. Downloads
            have no `total`, so it is the limit of each silence there.
    """

    total: float = attrs.field(default=60.0, converter=plain_seconds)
    connect: float = attrs.field(default=10.0, converter=plain_seconds)
    read: float = attrs.field(default=60.0, converter=plain_seconds)

    @classmethod
    def of(cls, value: float | timedelta | Timeout) -> Timeout:
        """Return a `Timeout` from one, or from the seconds of its total.

        Args:
            value: a `Timeout`, or seconds.

        Returns:
            The timeout.

        Raises:
            InvalidArgumentError: if a limit is not a positive number of seconds.
        """
        if not isinstance(value, Timeout):
            value = cls(total=seconds(value, "timeout"))
        for field in attrs.fields(cls):
            seconds(getattr(value, field.name), f"timeout.{field.name}")
        return value


class RequestCount(msgspec.Struct, eq=False):
    """The number of requests to the API of some calls, which the transport counts.

    Attributes:
        sent: number of requests, including those without a response.
        refused: number of 429 responses.
    """

    sent: int = 0
    refused: int = 0


@attrs.frozen(kw_only=True)
class Options:
    """The settings of a call, apart from its arguments.

    Attributes:
        version: the `Persona-Version` to send.
        timeout: how long one attempt may take.
        retry: when the client retries.
        max_wait: maximum seconds to wait for the rate limit; None for no limit.
        headers: additional request headers.
        max_answer_bytes: maximum size of a response body in bytes, after decompression.
        observers: the observers of each call, checked and guarded.
        counts: count the requests of each call.
    """

    version: str = DEFAULT_VERSION
    timeout: Timeout = Timeout()
    retry: RetryPolicy = RetryPolicy()
    max_wait: float | None = attrs.field(default=None, converter=plain_seconds_or_none)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False, hash=False)
    max_answer_bytes: int = DEFAULT_MAX_ANSWER_BYTES
    observers: tuple[Observer, ...] = ()
    counts: tuple[RequestCount, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_version(self.version)
        check_retry(self.retry)
        if self.max_wait is not None:
            seconds(self.max_wait, "max_wait", least=0.0)
        whole_number(self.max_answer_bytes, "max_answer_bytes")
        for name, value in self.headers.items():
            check_header(name, value)


def check_version(value: object) -> None:
    """Check a `Persona-Version`; any version is allowed, known here or not.

    Raises:
        InvalidArgumentError: if it cannot be sent in a header.
    """
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise InvalidArgumentError(f"version must be a Persona-Version such as {DEFAULT_VERSION!r}")


def check_retry(value: object) -> None:
    """Check a retry policy.

    Raises:
        InvalidArgumentError: if it is not a `RetryPolicy`.
    """
    if not isinstance(value, RetryPolicy):
        raise InvalidArgumentError("retry must be a RetryPolicy; RetryPolicy(attempts=1) never retries")


def check_headers(value: object) -> dict[str, str]:
    """Check that additional request headers are a mapping or None.

    Raises:
        InvalidArgumentError: if they are not.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidArgumentError("headers must be a mapping of names to values, such as {'X-Trace-Id': '…'}")
    return dict(cast("Mapping[str, str]", value))


def check_header(name: object, value: object) -> None:
    """Check an additional request header.

    Raises:
        InvalidArgumentError: if it cannot be sent, or is one that the client sets itself.
    """
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise InvalidArgumentError("headers: a name must be an HTTP token, such as 'X-Trace-Id'")
    if (instead := _RESERVED.get(name.lower())) is not None:
        raise InvalidArgumentError(f"headers: {name} is set by the client: {instead}")
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
        raise InvalidArgumentError(f"headers: the value of {name} must be visible ASCII on one line")


def check_idempotency_key(value: object) -> str:
    """Check the caller's idempotency key.

    Raises:
        InvalidArgumentError: if it is empty or cannot be sent in a header.
    """
    if not isinstance(value, str) or not value.strip() or not _VISIBLE.fullmatch(value):
        raise InvalidArgumentError("idempotency_key must be non-empty visible ASCII, such as str(uuid.uuid4())")
    return value


publish("persona_cases", Timeout)
