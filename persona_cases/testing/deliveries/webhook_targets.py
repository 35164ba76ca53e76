"""How a delivery reaches an application: over HTTP, or by a direct call."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

import aiohttp

from persona_cases.errors import InvalidArgumentError

__all__ = ["ASGIApp", "WebClient", "WebhookTarget", "target_of"]

Message: TypeAlias = MutableMapping[str, Any]
ASGIApp: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class WebClient(Protocol):
    """The interface of the `TestClient` of FastAPI or Starlette, and of httpx clients."""

    @property
    def build_request(self) -> Any:
        """Distinguishes a client from an application, which may also have a method `post`."""
        ...

    def post(self, url: str, /, *, content: bytes, headers: Mapping[str, str]) -> Any:
        """Send a request; it may be a coroutine function."""
        ...


class WebhookTarget(Protocol):
    """A receiver of deliveries."""

    @property
    def label(self) -> str:
        """Its name in a repr."""
        ...

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a delivery, and return the HTTP status of the response."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


def target_of(target: object, path: str | None) -> WebhookTarget:
    """Return the target for a URL, an application or a test client.

    Raises:
        InvalidArgumentError: if it is none of these, or there is a path for a URL, or none for the others.
    """
    if isinstance(target, str):
        if path is not None:
            raise InvalidArgumentError("path: a URL has its own path; leave path out")
        if urlsplit(target).scheme not in {"http", "https"} or not urlsplit(target).hostname:
            raise InvalidArgumentError("target must be an http or https URL, such as 'http://127.0.0.1:8000/webhooks'")
        return _UrlTarget(target)
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidArgumentError("path: an application needs the path of its route, such as path='/webhooks/persona'")
    if hasattr(target, "build_request") and hasattr(target, "post"):
        return _ClientTarget(cast("WebClient", target), path)
    if callable(target):
        return _AppTarget(cast("ASGIApp", target), path)
    raise InvalidArgumentError("target must be a URL, an ASGI application, or the test client of an application")


class _UrlTarget:
    def __init__(self, url: str) -> None:
        self._url = url
        # A query string may hold a secret of the receiver.
        self.label = url.partition("?")[0]
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class _ClientTarget:
    def __init__(self, client: WebClient, path: str) -> None:
        self._client = client
        self._path = path
        self.label = path

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        send = partial(self._client.post, self._path, content=body, headers=headers)
        if inspect.iscoroutinefunction(self._client.post):
            answer: Any = await send()
        else:
            # In a thread, because it waits for an application that may call the simulator in the meantime.
            answer = await asyncio.to_thread(send)
        return int(answer.status_code)

    async def close(self) -> None:
        pass


class _AppTarget:
    """Calls an application in the event loop of the simulator; the test must run its lifespan."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self.label = path
        self._calls: set[asyncio.Task[None]] = set()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        call = _AppCall(body)
        task = asyncio.create_task(self._run(call, headers, len(body)))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        # Work that the application does after its response is not waited for.
        answered = asyncio.create_task(call.answered.wait())
        try:
            await asyncio.wait({task, answered}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
            if not call.answered.is_set():
                task.cancel()
        if call.status is None:
            await task
            raise ConnectionError("the application did not respond")
        return call.status

    async def close(self) -> None:
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _run(self, call: _AppCall, headers: Mapping[str, str], length: int) -> None:
        sent = {"host": "webhooks.test", "content-length": str(length), **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 0),
            "server": ("webhooks.test", 80),
        }
        try:
            await self._app(scope, call.receive, call.send)
        except Exception:
            # Frameworks respond with 500 and raise the error again, but the vendor sees only the response.
            if call.status is None:
                raise
        finally:
            call.left.set()


class _AppCall:
    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status: int | None = None
        self.answered = asyncio.Event()
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.answered.set()
