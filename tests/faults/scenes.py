"""Where things go wrong: a client with one connection, and what it talks to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver

from faults.leaks import nothing_left
from persona_cases import PersonaClient, RetryPolicy
from persona_cases.testing import Fault, Simulator

__all__ = [
    "API_KEY",
    "CERTIFICATE",
    "Scene",
    "Setting",
    "mistrusted",
    "refused",
    "reset_at_once",
    "simulated",
    "unresolvable",
]

CERTIFICATE = Path(__file__).parent / "self_signed.pem"
"""A certificate for 127.0.0.1 that nobody trusts, with its key. It is valid for a century."""

API_KEY = Simulator(cases=0).api_key
"""The key of all clients here: what a simulator takes by default."""

_CASES = 3


@attrs.frozen
class Scene:
    """A client and what is wrong.

    Attributes:
        client: has one connection.
        simulator: what would answer it.
        heal: makes all well again.
        requests: how many requests, or attempts to connect, there were.
    """

    client: PersonaClient
    simulator: Simulator
    heal: Callable[[], Awaitable[object]]
    requests: Callable[[], int]

    @property
    def case_id(self) -> str:
        return next(iter(self.simulator.store.cases))

    @property
    def template_id(self) -> str:
        return next(iter(self.simulator.store.templates))


Setting = Callable[[], AbstractAsyncContextManager[Scene]]
"""Sets a scene."""


def simulated(
    fault: Fault, *, times: int | None = None, path: str = "*", most: int | None = None, **settings: Any
) -> Setting:
    """The simulator answers, and a fault happens to all requests, to the first ones, or to those for a path."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[Scene]:
        async with nothing_left(), Simulator(cases=_CASES) as sim, _client(sim, sim.base_url, **settings) as client:
            rule = sim.faults.add(fault, times=times, path=path)

            async def heal() -> None:
                sim.faults.remove(rule)

            bound = client if most is None else client.with_options(max_answer_bytes=most)
            yield Scene(bound, sim, heal, lambda: len(sim.requests))

    return scene


@asynccontextmanager
async def refused() -> AsyncIterator[Scene]:
    """Nobody listens."""
    async with nothing_left(), Simulator(cases=_CASES) as sim, _client(sim, sim.base_url) as client:
        port = int(sim.origin.rpartition(":")[2])
        await sim.stop()
        with socket.socket() as reserved:
            # Nobody else may begin to listen there meanwhile.
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", port))

            async def heal() -> None:
                reserved.close()
                await sim.start()

            yield Scene(client, sim, heal, lambda: 0)


@asynccontextmanager
async def reset_at_once() -> AsyncIterator[Scene]:
    """Connections are accepted and reset before a byte of the request was read."""
    async with (
        nothing_left(),
        Simulator(cases=_CASES) as sim,
        _door(sim) as door,
        _client(sim, f"http://127.0.0.1:{door.port}/api/v1") as client,
    ):
        yield Scene(client, sim, door.open, lambda: door.callers)


@asynccontextmanager
async def mistrusted() -> AsyncIterator[Scene]:
    """The server's certificate is signed by itself."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(CERTIFICATE)
    trust = ssl.create_default_context()

    async def heal() -> None:
        trust.load_verify_locations(CERTIFICATE)

    async with nothing_left(), Simulator(cases=_CASES) as sim, _door(sim, served) as door:
        await door.open()
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1, ssl=trust)) as session,
            _client(sim, f"https://127.0.0.1:{door.port}/api/v1", session=session) as client,
        ):
            yield Scene(client, sim, heal, lambda: 0)


@asynccontextmanager
async def unresolvable() -> AsyncIterator[Scene]:
    """The host's name is unknown."""
    resolver = Resolver()
    async with (
        nothing_left(),
        Simulator(cases=_CASES) as sim,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, resolver=resolver, use_dns_cache=False)
        ) as session,
        _client(sim, sim.base_url.replace("127.0.0.1", "api.localhost"), session=session) as client,
    ):
        yield Scene(client, sim, resolver.heal, lambda: resolver.asked)


def _client(sim: Simulator, base_url: str, **settings: Any) -> PersonaClient:
    settings = {"retry": RetryPolicy(base=0), "max_connections": 1, **settings}
    return PersonaClient(sim.api_key, base_url=base_url, **settings)


class Resolver(AbstractResolver):
    """Knows no name until it is healed."""

    def __init__(self) -> None:
        self.asked = 0
        self._healed = False

    async def heal(self) -> None:
        self._healed = True

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        self.asked += 1
        if not self._healed:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@attrs.define
class Door:
    """A way to the simulator that resets whoever comes, until it is opened."""

    _simulator: Simulator
    port: int = 0
    callers: int = 0
    _is_open: bool = False

    async def open(self) -> None:
        self._is_open = True

    async def pass_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        if not self._is_open:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        port = int(self._simulator.origin.rpartition(":")[2])
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, before))
                group.create_task(_copy(behind, writer))
        finally:
            writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(65_536):
        target.write(piece)
    target.close()


@asynccontextmanager
async def _door(sim: Simulator, context: ssl.SSLContext | None = None) -> AsyncIterator[Door]:
    door = Door(sim)
    server = await asyncio.start_server(door.pass_through, "127.0.0.1", 0, ssl=context)
    door.port = server.sockets[0].getsockname()[1]
    async with server:
        yield door
