"""The points at which a call waits, each with something that keeps it waiting there."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver

from faults.leaks import nothing_left, until
from faults.scenes import API_KEY, CERTIFICATE
from persona_cases import PersonaClient, RetryPolicy
from persona_cases.limits import LocalLimiter
from persona_cases.testing import Fault, Simulator

__all__ = ["POINTS", "Stuck", "path_of"]

_LARGE = "x" * 24 * 1024 * 1024
_FOREVER = 1e9
_WITHOUT_NUMBERS = Fault.headers({f"RateLimit-{name}": None for name in ("Limit", "Remaining", "Reset")})


@attrs.frozen
class Stuck:
    """A call that will not end by itself.

    Attributes:
        client: has one connection and makes the call.
        call: makes it.
        there: whether a call under way has come to the point; it is given the names of the functions it waits in.
        release: takes away what keeps it there.
        meanwhile: a second call that must have the connection, if the point needs one.
    """

    client: PersonaClient
    call: Callable[[], Coroutine[Any, Any, object]]
    there: Callable[[list[str]], object]
    release: Callable[[], object] = lambda: None
    meanwhile: Callable[[], Awaitable[object]] | None = None


Point = Callable[[], AbstractAsyncContextManager[Stuck]]


def path_of(task: asyncio.Task[Any]) -> list[str]:
    """The names of the functions that a task waits in, from the outermost to the innermost."""
    names: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        names.append(getattr(waiting, "__qualname__", type(waiting).__qualname__))
        waiting = getattr(waiting, "cr_await", None)
        if type(waiting).__name__ == "coroutine_wrapper":
            # What an awaitable of a library returns from `__await__`: it hides the coroutine in it.
            (waiting,) = gc.get_referents(waiting)
    return names


def _within(name: str) -> Callable[[list[str]], bool]:
    return lambda path: name in path


@asynccontextmanager
async def _scene(**settings: Any) -> AsyncIterator[tuple[Simulator, PersonaClient]]:
    async with nothing_left(), Simulator(cases=60, seed=3) as sim:
        settings = {"max_connections": 1, "base_url": sim.base_url, **settings}
        async with PersonaClient(sim.api_key, **settings) as client:
            yield sim, client


@asynccontextmanager
async def gate() -> AsyncIterator[Stuck]:
    """The window is used up."""
    time = itertools.count()
    moved = 0.0
    limiter = LocalLimiter(limit=1, period=1, clock=lambda: moved + next(time) * 1e-6)
    async with _scene(limiter=limiter) as (sim, client):
        sim.faults.add(_WITHOUT_NUMBERS)
        await client.rate_limits()

        def release() -> None:
            nonlocal moved
            moved += 2

        yield Stuck(client, client.rate_limits, _within("LocalLimiter.acquire"), release)


@asynccontextmanager
async def pace() -> AsyncIterator[Stuck]:
    """The bucket that sets the pace is full."""
    async with _scene(limiter=LocalLimiter(limit=20, period=60)) as (sim, client):
        sim.faults.add(_WITHOUT_NUMBERS)
        for _ in range(2):
            await client.rate_limits()
        yield Stuck(client, client.rate_limits, _within("AsyncLimiter.acquire"))


class _Hanging(AbstractResolver):
    def __init__(self) -> None:
        self.asked = False
        self.answering = asyncio.Event()

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        self.asked = True
        await self.answering.wait()
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def resolve() -> AsyncIterator[Stuck]:
    """The host's name is being resolved."""
    resolver = _Hanging()
    connector = aiohttp.TCPConnector(limit=1, resolver=resolver, use_dns_cache=False)
    async with nothing_left(), Simulator(cases=1) as sim, aiohttp.ClientSession(connector=connector) as session:
        address = sim.base_url.replace("127.0.0.1", "api.localhost")
        client = PersonaClient(sim.api_key, base_url=address, session=session)
        yield Stuck(client, client.rate_limits, lambda _: resolver.asked, resolver.answering.set)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"data":[]}')
    await writer.drain()
    writer.close()


@asynccontextmanager
async def handshake() -> AsyncIterator[Stuck]:
    """The connection is there, and the server does not answer the TLS handshake."""
    silent, connected = asyncio.Event(), asyncio.Event()
    served, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=CERTIFICATE)
    served.load_cert_chain(CERTIFICATE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        if not silent.is_set():
            await silent.wait()
            writer.close()
            return
        await writer.start_tls(served)
        await _answer(reader, writer)

    async with nothing_left():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
        connector = aiohttp.TCPConnector(limit=1, ssl=trust)
        async with server, aiohttp.ClientSession(connector=connector) as session:
            client = PersonaClient(API_KEY, base_url=address, session=session)
            yield Stuck(client, client.rate_limits, lambda _: connected.is_set(), silent.set)


@asynccontextmanager
async def slot() -> AsyncIterator[Stuck]:
    """Another call has the only connection."""
    async with _scene() as (sim, client):
        await client.rate_limits()
        slow = sim.faults.add(Fault.delay(_FOREVER))

        async def other() -> None:
            before = len(sim.requests)
            holder = asyncio.ensure_future(client.cases.list().collect())
            await until(lambda: len(sim.requests) > before)
            holders.append(holder)

        holders: list[asyncio.Future[Any]] = []

        def release() -> None:
            sim.faults.remove(slow)
            holders.pop().cancel()

        yield Stuck(client, client.rate_limits, _within("BaseConnector._wait_for_available_connection"), release, other)


@asynccontextmanager
async def write() -> AsyncIterator[Stuck]:
    """A large body is being sent to a server that does not read."""
    deaf, connected = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        if not deaf.is_set():
            writer.transport.pause_reading()
            await deaf.wait()
            writer.transport.abort()
            return
        await _answer(reader, writer)

    async with nothing_left():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
        async with server, PersonaClient(API_KEY, base_url=address, max_connections=1) as client:

            def call() -> Coroutine[Any, Any, object]:
                return client.request("POST", "/things", json={"text": _LARGE})

            yield Stuck(client, call, lambda path: connected.is_set() and "ClientResponse.start" in path, deaf.set)


def _answering(fault: Fault, begun: str) -> Point:
    @asynccontextmanager
    async def point() -> AsyncIterator[Stuck]:
        async with _scene() as (sim, client):
            rule = sim.faults.add(fault)
            yield Stuck(
                client,
                lambda: client.cases.get(next(iter(sim.store.cases))),
                _within(begun),
                lambda: sim.faults.remove(rule),
            )

    return point


@asynccontextmanager
async def back_off() -> AsyncIterator[Stuck]:
    """A request failed and is going to be sent again."""
    patience = RetryPolicy(base=_FOREVER, cap=_FOREVER, deadline=10 * _FOREVER)
    async with _scene(retry=patience) as (sim, client):
        rule = sim.faults.add(Fault.status(503))
        yield Stuck(client, client.rate_limits, _within("sleep"), lambda: sim.faults.remove(rule))


def _walking(*, ahead: bool) -> Point:
    @asynccontextmanager
    async def point() -> AsyncIterator[Stuck]:
        async with _scene() as (sim, client):

            async def walk() -> None:
                async for _ in client.cases.list(page_size=10).pages():
                    sim.faults.add(Fault.delay(_FOREVER), path="/cases")
                    if ahead:
                        await asyncio.Event().wait()

            yield Stuck(client, walk, lambda _: len(sim.requests.matching(path="/cases")) == 2, sim.faults.clear)

    return point


@asynccontextmanager
async def download() -> AsyncIterator[Stuck]:
    """A file is half there."""
    async with _scene() as (sim, client):
        cases = await client.cases.list().collect()
        file = next(file for case in cases for file in case.attachments)
        rule = sim.faults.add(Fault.drip(chunk=100, pause=_FOREVER), path="/files/*")
        begun = asyncio.Event()
        with TemporaryDirectory() as directory:
            target = Path(directory) / "file"
            yield Stuck(
                client,
                lambda: client.cases.download(file, target, on_progress=lambda *_: begun.set()),
                lambda _: begun.is_set(),
                lambda: sim.faults.remove(rule),
            )
            assert not list(Path(directory).iterdir())
            await client.cases.download(file, target)
            assert target.stat().st_size == file.byte_size


POINTS: dict[str, Point] = {
    "the gate of the rate limit": gate,
    "the pace of the rate limit": pace,
    "the address of the host": resolve,
    "the TLS handshake": handshake,
    "a connection of the pool": slot,
    "the body being sent": write,
    "the headers": _answering(Fault.delay(_FOREVER), "ClientResponse.start"),
    "the rest of the body": _answering(Fault.drip(pause=_FOREVER), "_body"),
    "the back-off": back_off,
    "the next page": _walking(ahead=False),
    "the consumer, while the next page is fetched": _walking(ahead=True),
    "the rest of a file": download,
}
