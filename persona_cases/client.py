"""`PersonaClient`, the entry point of the library."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs
from msgspec.structs import replace

from persona_cases.models.unset import UNSET, Unset
from persona_cases.protocol import secret
from persona_cases.protocol.addresses.urls import BaseURL
from persona_cases.protocol.call_options import (
    DEFAULT_MAX_ANSWER_BYTES,
    DEFAULT_VERSION,
    Options,
    Timeout,
    check_headers,
)
from persona_cases.protocol.checks import flag, seconds, whole_number
from persona_cases.protocol.events import Observer
from persona_cases.protocol.message import Request, Response, Safety
from persona_cases.protocol.retry import RetryPolicy
from persona_cases.resources.client_lessons import CLIENT
from persona_cases.resources.endpoint import Api
from persona_cases.surface import publish
from persona_cases.teaching import taught
from persona_cases.transport.calls_under_way import Lifetime
from persona_cases.transport.limits.admission import Admission, check_limiter
from persona_cases.transport.limits.limiter import Limiter, LocalLimiter
from persona_cases.transport.limits.quota_limiter import QuotaLimiter
from persona_cases.transport.listeners import check_observers
from persona_cases.transport.middleware import Middleware, check_middleware
from persona_cases.transport.network import Network, Trust, environment_allows_http
from persona_cases.transport.pipeline import Transport
from persona_cases.transport.session import ClientSession, HttpSession, check_session

if TYPE_CHECKING:
    from persona_cases.models import RateLimitStatus
    from persona_cases.resources.case_templates import CaseTemplates
    from persona_cases.resources.cases import Cases
    from persona_cases.resources.event_reading import Events

DEFAULT_BASE_URL = "https://api.withpersona.com/api/v1"


@taught(CLIENT)
class PersonaClient:
    """An asyncio-native client for Persona's Cases API.

    .. code-block:: python

        async with PersonaClient() as persona:
            async for case in persona.cases.search(Q.status.eq("open")):
                print(case.id, case.created_at)

    Create one per program (or one per event loop) and share it: it holds the connections and keeps to the rate limit.
    Any number of tasks can use it at the same time.

    Args:
        api_key: the API key. Default: the environment variable `PERSONA_API_KEY`.
        base_url: the URL of the API. Default: `PERSONA_BASE_URL`, or else the vendor's URL. The client sends the key
            there and nowhere else.
        version: the `Persona-Version` to send (https://docs.withpersona.com/versioning).
        timeout: maximum time for one attempt: a `Timeout`, or its total in seconds.
        retry: when the client retries a failed request.
        max_wait: maximum seconds that an attempt waits for the rate limit or a quota. A longer wait raises
            `RateLimitError` (`QuotaExceededError` for the quota of case creation), immediately if its length is known
            in advance. None for no limit.
        headers: additional request headers.
        max_answer_bytes: maximum size of a response body in bytes, after decompression. A larger body raises
            `DecodeError`. Downloads of files are not limited by it.
        limiter: keeps requests within the rate limit. The vendor counts all requests of an environment together, so
            pass the same limiter to all clients of one environment.
        creation_limiter: keeps the creation of cases within its quota, which the vendor counts separately from the rate
            limit; share it like `limiter`. Default: a `QuotaLimiter`, which delays nothing until the API reports a
            quota.
        session: your own session to borrow. The client does not close it, and does not use its middlewares. Default:
            the client creates one.
        middleware: async functions that wrap each attempt, the first outermost; see `persona_cases.Middleware`.
        observers: functions that receive the events of `persona_cases.observers` for all calls of the client;
            `with_options` adds more for single calls.
        max_connections: maximum number of connections, if the client creates the session.
        trust_env: whether to take proxies from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`,
            or the system's settings), except for requests to this machine. A borrowed session keeps its own setting.
            The client never sends credentials from a `.netrc` file.
        proxy: the proxy for all requests, such as `http://user:password@proxy.example.com:3128`.
        ssl: which certificates to trust, for the API and for file hosts: an `ssl.SSLContext`, or the path of a CA file
            in PEM format, which replaces the system's certificates. Default: `PERSONA_CA_FILE`, or else the system's.
        allow_http: whether `base_url` may be plain http to another machine, such as a simulator             in a
            container. Default: `PERSONA_ALLOW_HTTP`, or else False.

    Raises:
        InvalidArgumentError: if a setting is invalid, or there is no API key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        version: str = DEFAULT_VERSION,
        timeout: float | timedelta | Timeout = Timeout(),
        retry: RetryPolicy = RetryPolicy(),
        max_wait: float | timedelta | None = None,
        headers: Mapping[str, str] | None = None,
        max_answer_bytes: int = DEFAULT_MAX_ANSWER_BYTES,
        limiter: Limiter | None = None,
        creation_limiter: Limiter | None = None,
        session: ClientSession | None = None,
        middleware: Iterable[Middleware] = (),
        observers: Iterable[Observer] = (),
        max_connections: int = 100,
        trust_env: bool = True,
        proxy: str | None = None,
        ssl: Trust | None = None,
        allow_http: bool | None = None,
    ) -> None:
        # This comes first: if anything below raises, no variable of this frame shows the key.
        given, api_key = secret.hidden(api_key), None
        options = Options(
            version=version,
            timeout=Timeout.of(timeout),
            retry=retry,
            max_wait=max_wait,
            headers=check_headers(headers),
            max_answer_bytes=max_answer_bytes,
            observers=check_observers(observers),
        )
        base = BaseURL.parse(
            _address(base_url),
            allow_http=environment_allows_http() if allow_http is None else allow_http,
        )
        key = (
            secret.api_key(secret.hidden(os.environ.get("PERSONA_API_KEY")), "PERSONA_API_KEY")
            if given is None
            else secret.api_key(given, "api_key")
        )
        session = check_session(session)
        try:
            network = Network(
                base.url,
                trust=ssl,
                proxy=proxy,
                trust_env=flag(trust_env, "trust_env") if session is None else session.trust_env,
                lent=session is not None,
            )
        finally:
            # A traceback may be shown with the locals of its frames, and a proxy's URL may hold a password.
            del proxy
        http = HttpSession(
            base, key, session, max_connections=whole_number(max_connections, "max_connections"), network=network
        )
        admission = Admission(
            LocalLimiter() if limiter is None else check_limiter(limiter, "limiter"),
            QuotaLimiter() if creation_limiter is None else check_limiter(creation_limiter, "creation_limiter"),
        )
        self._api = Api(Transport(http, admission, check_middleware(middleware)), base, options)

    # Each of these loads its dependencies on first use, such as the query language.

    @cached_property
    def cases(self) -> Cases:
        """The methods for cases: read, search, change, export."""
        from persona_cases.resources.cases import Cases  # noqa: PLC0415

        return Cases(self._api)

    @cached_property
    def case_templates(self) -> CaseTemplates:
        """The methods for case templates, which cases are created from."""
        from persona_cases.resources.case_templates import CaseTemplates  # noqa: PLC0415

        return CaseTemplates(self._api)

    @cached_property
    def events(self) -> Events:
        """The methods for events: what happened to cases and other objects."""
        from persona_cases.resources.event_reading import Events  # noqa: PLC0415

        return Events(self._api)

    @property
    def limiter(self) -> Limiter:
        """The limiter for the rate limit; `limiter.state` is its current knowledge."""
        return self._api.transport.limiter

    @property
    def creation_limiter(self) -> Limiter:
        """The limiter for the quota of case creation; `creation_limiter.state` is its current knowledge."""
        return self._api.transport.creation_limiter

    def with_options(
        self,
        *,
        version: str | Unset = UNSET,
        timeout: float | timedelta | Timeout | Unset = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        max_wait: float | timedelta | Unset | None = UNSET,
        headers: Mapping[str, str] | Unset = UNSET,
        max_answer_bytes: int | Unset = UNSET,
        observers: Iterable[Observer] | Unset = UNSET,
    ) -> Self:
        """Return a light copy with other settings that shares the connections and the limiters.

        Settings that you leave out stay as they are. `headers` and `observers` are added to the existing ones. A copy
        of a subclass has the same class and attributes. Closing a copy ends only the calls of that copy; closing the
        original closes both.

        Args:
            version: the `Persona-Version` to send.
            timeout: maximum time for one attempt: a `Timeout`, or its total in seconds.
            retry: when the client retries a failed request.
            max_wait: maximum seconds that an attempt waits for the rate limit or a quota; None for no limit.
            headers: additional request headers.
            max_answer_bytes: maximum size of a response body in bytes, after decompression.
            observers: functions that receive the events of calls made through the copy.

        Returns:
            The copy.

        Raises:
            InvalidArgumentError: if a setting is invalid.
        """
        given: dict[str, Any] = {
            "version": version,
            "retry": retry,
            "max_wait": max_wait,
            "max_answer_bytes": max_answer_bytes,
        }
        changes = {name: value for name, value in given.items() if value is not UNSET}
        if timeout is not UNSET:
            changes["timeout"] = Timeout.of(timeout)
        if headers is not UNSET:
            changes["headers"] = {**self._api.options.headers, **check_headers(headers)}
        if observers is not UNSET:
            changes["observers"] = (*self._api.options.observers, *check_observers(observers))
        twin = copy.copy(self)
        options = attrs.evolve(self._api.options, **changes)
        twin._api = replace(self._api, options=options, lifetime=Lifetime(self._api.lifetime))
        for name, member in vars(PersonaClient).items():
            if isinstance(member, cached_property):
                vars(twin).pop(name, None)
        return twin

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        json: object = UNSET,
        idempotency_key: str | None = None,
        safety: Safety | None = None,
    ) -> Response:
        """Call any other endpoint with the same key, rate limit, retries and errors.

        Args:
            method: the HTTP method.
            path: the path below the base URL, such as `/accounts`; percent-encode any values in it.
            params: query parameters, not URL-encoded.
            json: the document to send as the JSON body.
            idempotency_key: the key under which a POST is carried out at most once. Default: a random key.
            safety: whether the client may retry when it does not know whether the request was carried out. Default: it
                retries GET, PUT and DELETE, and POST with its idempotency key, but not PATCH.

        Returns:
            The response; `response.json()` decodes its body.

        Raises:
            InvalidArgumentError: if an argument is invalid.
            APIError: if the API responded with an error status.
            TransportError: if no complete response arrived.
        """
        from persona_cases.resources.requests.custom_request import other_request  # noqa: PLC0415

        request = other_request(method, path, params=params, json=json, idempotency_key=idempotency_key, safety=safety)
        return await self._api.send(request)

    async def rate_limits(self) -> tuple[RateLimitStatus, ...]:
        """Return the current usage of the rate limits. This request itself counts.

        Returns:
            The usage of each limit.

        Raises:
            APIError: if the API responded with an error status.
            TransportError: if no complete response arrived.

        See https://docs.withpersona.com/api-reference/rate-limits/list-all-rate-limits.
        """
        from persona_cases.models.rate_limits import decode_rate_limits  # noqa: PLC0415

        return await self._api.load(Request("GET", "/rate-limits"), decode_rate_limits)

    async def close(self) -> None:
        """End the calls in progress, and close the connections unless the session is borrowed.

        A call that reads, or that has not sent a request yet, raises `ClientStateError`. A write that may have been
        carried out raises `IndeterminateError` with its idempotency key; to wait for such calls, call `drain` first.
        The client cannot be used afterwards. Closing a copy made by `with_options` leaves the original open.
        """
        self._api.lifetime.close()
        if self._api.lifetime.is_root:
            await self._api.transport.session.close()

    async def drain(self, timeout: float | timedelta | None = None) -> bool:  # noqa: ASYNC109 - it is no error
        """Wait until no call of this client or its copies is in progress, so that closing it interrupts none.

        It also waits for calls that begin while it waits, so stop making calls first.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Returns:
            True if no call is in progress. If False, `close` ends the remaining calls.

        Raises:
            InvalidArgumentError: if `timeout` is invalid.
        """
        patience = None if timeout is None else seconds(timeout, "timeout", least=0.0)
        return await self._api.lifetime.drain(patience)

    async def __aenter__(self) -> Self:
        self._api.lifetime.check()
        self._api.transport.session.check_usable()
        # Loads the methods and the query language when a program starts rather than in its first call. Models come with
        # the first method that returns them, because exports as JSON Lines need none.
        _ = self.cases
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        # A traceback with locals may show a client whose constructor raised.
        if "_api" not in vars(self):
            return "PersonaClient()"
        return f"PersonaClient(base_url={self._api.base.url!r}, version={self._api.options.version!r})"


publish("persona_cases", PersonaClient)


def _address(base_url: object) -> object:
    # Callers may pass anything, and not every object has a truth value.
    given = None if isinstance(base_url, str) and not base_url else base_url
    return os.environ.get("PERSONA_BASE_URL") or DEFAULT_BASE_URL if given is None else given
