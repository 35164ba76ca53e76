"""The one place that calls aiohttp for the API: one attempt, one request, one complete response."""

from __future__ import annotations

import asyncio
import io
import platform
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp import ClientSession
from multidict import CIMultiDict
from yarl import URL

from persona_cases.errors import ClientStateError, DecodeError, InvalidArgumentError, TransportError
from persona_cases.protocol.addresses.file_addresses import FileAddresses
from persona_cases.protocol.addresses.urls import BaseURL, query_string, server_of
from persona_cases.protocol.call_options import Options, Timeout
from persona_cases.protocol.headers import Headers
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.secret import Secret
from persona_cases.transport.connection_failures import Departure, translated, without_traces
from persona_cases.transport.network import Network

__all__ = ["ClientSession", "HttpSession", "check_session", "client_timeout"]

USER_AGENT = f"persona-cases Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"

_LARGE_BODY = 1_048_576

# At first, glibc maps every block of more than 128 KiB separately, and soon returns free memory at the end of its heap.
# So each page of cases would get memory that the system has to clear first, with some 45 page faults: up to a fifth of
# the CPU of an export. Freeing a larger block once raises both bounds for the process.
_LARGEST_USUAL_BLOCK = 1 << 22

_ACCEPT, _USER_AGENT, _AUTHORIZATION = "Accept", "User-Agent", "Authorization"
_CONTENT_TYPE, _IDEMPOTENCY_KEY = "Content-Type", "Idempotency-Key"
_KEY_INFLECTION, _PERSONA_VERSION = "Key-Inflection", "Persona-Version"


def check_session(value: object) -> ClientSession | None:
    """Check the caller's session.

    Raises:
        InvalidArgumentError: if it is not a session.
    """
    if value is None or isinstance(value, ClientSession):
        return value
    raise InvalidArgumentError("session must be an aiohttp.ClientSession, or None to let the client make one")


class HttpSession:
    """Sends requests over a `ClientSession`, its own or a borrowed one.

    Args:
        base: the base URL, the only place that receives the API key.
        key: the API key.
        borrowed: a session to use and leave open; None creates one at the first request.
        max_connections: maximum number of connections of an own session.
        network: the network settings.

    Attributes:
        file_addresses: the URLs from which files may be fetched.
        server: host and port of the API.
    """

    def __init__(
        self,
        base: BaseURL,
        key: Secret,
        borrowed: ClientSession | None,
        *,
        max_connections: int,
        network: Network,
    ) -> None:
        self._origin = URL(base.url, encoded=True)
        self._prefix: str = self._origin.raw_path.rstrip("/")
        self._key = key
        self._owned = borrowed is None
        self._session = borrowed
        self._files: ClientSession | None = None
        self._max_connections = max_connections
        self._network = network
        self.file_addresses: FileAddresses = FileAddresses(base)
        self.server: tuple[str, int] = server_of(base.url)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        # aiohttp rejects our header together with credentials of a .netrc file or the session, so it is added later.
        self._adds_key_late: bool = borrowed is not None and (borrowed.trust_env or borrowed.auth is not None)
        self._settings: dict[str, Any] = {
            "allow_redirects": False,
            "raise_for_status": False,
            **network.way_to_api.settings,
        }
        # Derived from the options of the last request, because most requests have the same options.
        self._options: Options | None = None
        self._usual, self._reserved = CIMultiDict[str](), CIMultiDict[str]()
        self._timeout = aiohttp.ClientTimeout()
        bytes(_LARGEST_USUAL_BLOCK)

    async def send(self, request: Request, options: Options, departure: Departure) -> Response:
        """Send a request once and read the whole response.

        The traceback of any error ends here, because the frames below hold the API key, the request and the response.

        Args:
            request: the request.
            options: the settings of the call.
            departure: observes whether the request was sent.

        Raises:
            TransportError: if no complete response arrived.
            DecodeError: if the response is a success and larger than `options.max_answer_bytes`.
            ClientStateError: if the session is closed, or belongs to another event loop.
        """
        answer: aiohttp.ClientResponse | None = None
        most, refused_to_send = options.max_answer_bytes, False
        for count in options.counts:
            count.sent += 1
        try:
            answer = await self._begin(request, options, departure)
            for count in options.counts:
                count.refused += answer.status == 429
            # Most bodies arrive together with their headers. No name holds one, because the frame may outlive it.
            return _response(
                answer,
                answer.content.read_nowait() if answer.content.is_eof() else await _body(answer.content, most),
                most,
            )
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failure = without_traces(error, by_proxy=self._network.way_to_api.by_proxy)
            refused_to_send = isinstance(error, RuntimeError)
        finally:
            # Not `async with`, which takes four coroutines to do this.
            if answer is not None:
                answer.release()
            del answer
        try:
            if refused_to_send:
                # The session may have been closed since the call began.
                self.check_usable()
            raise failure
        finally:
            # Otherwise the frame would hold the error, which holds the frame.
            del failure

    def _begin(self, request: Request, options: Options, departure: Departure) -> Awaitable[aiohttp.ClientResponse]:
        session = self._session or self._open_session()
        headers = self._headers(request, options)
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (departure,)
        if self._adds_key_late:
            middlewares = (_with_header(_AUTHORIZATION, headers.pop(_AUTHORIZATION)), departure)
        return session.request(
            request.method,
            # Built from parts: to take each new URL apart would need three times the steps.
            URL.build(
                scheme=self._origin.scheme,
                authority=self._origin.raw_authority,
                path=self._prefix + request.path,
                query_string=query_string(request.query),
                encoded=True,
            ),
            data=None if request.body is None else _payload(request.body),
            headers=headers,
            timeout=self._timeout,
            middlewares=middlewares,
            **self._settings,
        )

    async def open_file(self, url: URL, limits: Timeout) -> aiohttp.ClientResponse:
        """Request a file over the same connections, but without our headers.

        Args:
            url: a checked URL.
            limits: the timeouts; `total` does not apply.

        Raises:
            TransportError: if no response arrived.
            ClientStateError: if the session is closed, or belongs to another event loop.
            InvalidArgumentError: if the environment names an invalid proxy for the host.
        """
        self.check_usable()
        session = self._session or self._open_session()
        if self._files is None:
            # A separate session keeps the headers, cookies and credentials of a borrowed session out of the request.
            self._files = ClientSession(
                connector=session.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        way = self._network.way_to(str(url))
        try:
            return await self._files.get(
                url,
                headers=way.headers,
                timeout=client_timeout(limits, bounded=False),
                allow_redirects=False,
                raise_for_status=False,
                middlewares=(Departure(),),
                **way.settings,
            )
        except aiohttp.InvalidURL:
            failure = _not_requestable()
        except (aiohttp.ClientError, OSError) as error:
            failure = translated(error, by_proxy=way.by_proxy)
        except ValueError:
            failure = _not_requestable()
        raise failure

    async def close(self) -> None:
        """Close the session unless it is borrowed. Nothing can be sent afterwards."""
        self._closed = True
        if self._files is not None:
            await self._files.close()
        if self._owned and self._session is not None:
            await self._session.close()

    def check_usable(self) -> None:
        """Check that requests can be sent from here.

        Raises:
            ClientStateError: if the session is closed, or belongs to another event loop.
        """
        if self._closed:
            raise ClientStateError("the client is closed: make a new one, or move this call into its `async with`")
        # Nobody else can close a session of our own.
        if not self._owned and self._session is not None and self._session.closed:
            raise ClientStateError("the borrowed session is closed: keep it open as long as the client is used")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientStateError(
                f"the client belongs to the event loop {id(self._loop):#x} and was used in {id(loop):#x}: make one "
                "client in each loop (in a web app: when it starts up; in tests: in a fixture of the test's scope)"
            )

    def _open_session(self) -> ClientSession:
        self.check_usable()
        self._session = ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    def _headers(self, request: Request, options: Options) -> CIMultiDict[str]:
        if options is not self._options:
            self._options, self._timeout = options, client_timeout(options.timeout)
            self._reserved = CIMultiDict({_KEY_INFLECTION: "snake", _PERSONA_VERSION: options.version})
            self._reserved.update(self._network.way_to_api.headers)
            self._usual = CIMultiDict({_ACCEPT: "application/json", _USER_AGENT: USER_AGENT, **options.headers})
            self._usual.update(self._reserved)
        headers = self._usual.copy()
        if request.headers:
            headers.update(request.headers)
            headers.update(self._reserved)
        headers[_AUTHORIZATION] = f"Bearer {self._key.reveal()}"
        if request.body is not None:
            headers[_CONTENT_TYPE] = "application/json"
        if request.idempotency_key is not None:
            headers[_IDEMPOTENCY_KEY] = request.idempotency_key
        return headers


def _not_requestable() -> TransportError | InvalidArgumentError:
    return InvalidArgumentError("the attachment's url cannot be requested: load the case again")


def _with_header(name: str, value: str) -> aiohttp.ClientMiddlewareType:
    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers[name] = value
        return await handler(request)

    return middleware


def _response(answer: aiohttp.ClientResponse, body: bytes | None, most: int) -> Response:
    if body is not None and len(body) > most:
        body = None
    response = Response(answer.status, Headers(answer.headers), b"" if body is None else body)
    if body is None and response.ok:
        raise DecodeError(
            f"the response is larger than {most} bytes: ask for less at a time (page_size, only), or raise the limit",
            request_id=response.request_id,
        )
    # The status is the error. A document this large is not the vendor's.
    return response


async def _body(content: aiohttp.StreamReader, most: int) -> bytes | None:
    # A body that is read in chunks is decompressed in chunks too, so a small compressed body cannot fill the memory.
    pieces = [await content.readany()]
    size = len(pieces[0])
    while size <= most and not content.at_eof():
        pieces.append(await content.readany())
        size += len(pieces[-1])
    return None if size > most else pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _payload(body: bytes) -> bytes | io.BytesIO:
    # aiohttp writes large bytes at once, which would block the event loop, but a file object in chunks.
    return io.BytesIO(body) if len(body) > _LARGE_BODY else body


@lru_cache
def client_timeout(timeout: Timeout, *, bounded: bool = True) -> aiohttp.ClientTimeout:
    """Return aiohttp's form of a timeout, without its total if unbounded."""
    total = timeout.total if bounded else None
    # For this limit, aiohttp sets and cancels two timers per request, which the total can make pointless.
    read = timeout.read if total is None or timeout.read < total else None
    return aiohttp.ClientTimeout(total=total, connect=None, sock_connect=timeout.connect, sock_read=read)
