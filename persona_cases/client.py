"""`PersonaClient`: where a program starts."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

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
from persona_cases.resources.requests.custom_request import other_request
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

    Make one per program (or one per event loop) and share it: it holds the connections and the rate limit. Any number
    of tasks may use it at the same time.

    Args:
        api_key: the API key; by default the environment variable `PERSONA_API_KEY`.
        base_url: where the API lives; by default `PERSONA_BASE_URL`, or the vendor's URL. The client sends the key
            there and nowhere else.
        version: the `Persona-Version` to send (https://docs.withpersona.com/versioning).
        timeout: how long one attempt may take: a `Timeout`, or its total in seconds.
        retry: when the client retries a failed request.
        max_wait: maximum seconds that an attempt waits for the limits. A longer wait raises `RateLimitError`
            (`QuotaExceededError` for the quota of case creation), immediately if its length is known. None for no
            limit.
        headers: additional request headers.
        max_answer_bytes: maximum size of a response body in bytes, after unpacking. A larger one raises `DecodeError`.
            It does not bound the download of files.
        limiter: keeps the requests within the rate limit. The vendor counts all requests of an environment together, so
            give the clients of one environment the same limiter.
        creation_limiter: keeps the creation of cases within its quota, which the vendor counts beside the rate limit;
            share it like `limiter`. By default a `QuotaLimiter`, which delays nothing before the API reports a quota.
        session: a session of yours to borrow. It stays open, and the client does not use its middlewares. By default
            the client makes its own.
        middleware: async functions around each attempt, the first outermost; see `persona_cases.Middleware`.
        observers: functions that take the events of `persona_cases.observers`, for all calls of the client;
            `with_options` adds more for single calls.
        max_connections: maximum number of connections of a session that the client makes.
        trust_env: whether to take proxies from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`,
            or the settings of the system), except for this machine. A borrowed session decides for itself. The client
            never sends credentials of a `.netrc` file.
        proxy: the proxy for all requests, such as `http://user:password@proxy.example.com:3128`.
        ssl: whose certificates to trust, for the API and for file hosts: an `ssl.SSLContext`, or the path of a CA file
            in PEM format, which replaces the system's. By default `PERSONA_CA_FILE`, or the system's.
        allow_http: whether `base_url` may be plain http to another machine, such as a simulator in a container; by
            default `PERSONA_ALLOW_HTTP`, or False.

    Raises:
        InvalidArgumentError: if a setting cannot work, or there is no API key.
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
        # First of all: whatever is raised below, no variable of this frame shows the key.
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

    # Each of these loads what it needs when it is first used: models, the query language, pages.

    @cached_property
    def cases(self) -> Cases:
        """Everything that can be done with cases."""
        from persona_cases.resources.cases import Cases  # noqa: PLC0415

        return Cases(self._api)

    @cached_property
    def case_templates(self) -> CaseTemplates:
        """What cases are made from."""
        from persona_cases.resources.case_templates import CaseTemplates  # noqa: PLC0415

        return CaseTemplates(self._api)

    @cached_property
    def events(self) -> Events:
        """What happened to cases and other objects."""
        from persona_cases.resources.event_reading import Events  # noqa: PLC0415

        return Events(self._api)

    @property
    def limiter(self) -> Limiter:
        """The limiter of the rate limit; `limiter.state` is what it knows."""
        return self._api.transport.limiter

    @property
    def creation_limiter(self) -> Limiter:
        """The limiter of the quota of case creation; `creation_limiter.state` is what it knows."""
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
        """Return a light copy with other settings, which shares the connections and the limiters.

        What is left out stays as it is; `headers` and `observers` are added to those that are set already. A copy of a
        subclass is of that class and has the same attributes. Closing a copy ends the calls of that copy alone; closing
        the client that it was made from closes both.

        Raises:
            InvalidArgumentError: if a setting cannot work.
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
        twin._api = attrs.evolve(self._api, options=options, lifetime=Lifetime(self._api.lifetime))
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
            path: the path below the base URL, such as `/accounts`; percent-encode what you insert.
            params: query parameters, not yet encoded.
            json: a document to send as the body.
            idempotency_key: the key that makes a POST happen at most once; made up if it is left out.
            safety: what the client may do when it does not know whether the request was carried out. By default, it
                repeats GET, PUT and DELETE, and POST under its idempotency key, but not PATCH.

        Returns:
            The response; `response.json()` decodes its body.

        Raises:
            InvalidArgumentError: if an argument cannot work.
            APIError: if the API responded with an error status.
            TransportError: if no whole response came.
        """
        request = other_request(method, path, params=params, json=json, idempotency_key=idempotency_key, safety=safety)
        return await self._api.send(request)

    async def rate_limits(self) -> tuple[RateLimitStatus, ...]:
        """Return how much of the rate limits is used. The request itself counts.

        Raises:
            APIError: if the API refuses.
            TransportError: if no whole response came.

        See https://docs.withpersona.com/api-reference/rate-limits/list-all-rate-limits.
        """
        from persona_cases.models.rate_limits import decode_rate_limits  # noqa: PLC0415

        return await self._api.load(Request("GET", "/rate-limits"), decode_rate_limits)

    async def close(self) -> None:
        """End the calls under way, and close the connections unless the session is borrowed.

        A call that reads, or that has sent nothing yet, raises `ClientStateError`. A write that may have been carried
        out raises `IndeterminateError` with its idempotency key; call `drain` first to wait for such calls. The client
        cannot be used afterwards. Closing a copy made by `with_options` leaves the original open.
        """
        self._api.lifetime.close()
        if self._api.lifetime.is_root:
            await self._api.transport.session.close()

    async def drain(self, timeout: float | timedelta | None = None) -> bool:  # noqa: ASYNC109 - it is no error
        """Wait until no call of this client and its copies is under way, to close it without breaking one off.

        It waits for calls that begin meanwhile too, so stop making them first.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Returns:
            Whether no call is under way any more. If not, `close` ends the rest.

        Raises:
            InvalidArgumentError: if `timeout` cannot work.
        """
        patience = None if timeout is None else seconds(timeout, "timeout", least=0.0)
        return await self._api.lifetime.drain(patience)

    async def __aenter__(self) -> Self:
        self._api.lifetime.check()
        self._api.transport.session.check_usable()
        # Loads the models and the query language where a program starts, and not in its first call.
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
    # Anything may be given, and not all of it has a truth value.
    given = None if isinstance(base_url, str) and not base_url else base_url
    return os.environ.get("PERSONA_BASE_URL") or DEFAULT_BASE_URL if given is None else given
