"""What stands between a client and a server: a proxy, and something that speaks TLS for a plain server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
from faults.scenes import CERTIFICATE

__all__ = ["Asked", "Proxy", "proxy_to", "tls_before"]


@attrs.frozen
class Asked:
    """What a proxy was asked for.

    Attributes:
        method: the HTTP method, CONNECT for a tunnel.
        target: host and port of a tunnel, or an absolute URI.
        headers: the headers that it came with, names in lower case.
    """

    method: str
    target: str
    headers: dict[str, str]


@attrs.define
class Proxy:
    """A proxy that takes all names for one server.

    Attributes:
        port: where it listens.
        asked: what it was asked for.
    """

    port: int
    asked: list[Asked] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def _listening(handle, **settings) -> AsyncIterator[int]:
    tasks = set()

    async def held(reader, writer) -> None:
        tasks.add(asyncio.current_task())
        try:
            await handle(reader, writer)
        except asyncio.CancelledError:
            # The end of the test is no failure of it.
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(held, "127.0.0.1", 0, **settings) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxy_to(port: int, *, credentials: str | None = None) -> AsyncIterator[Proxy]:
    """A proxy whose every tunnel and every request ends at a port of this machine.

    Args:
        port: where.
        credentials: what `Proxy-Authorization` has to say, if anything.
    """

    async def handle(reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        proxy.asked.append(Asked(method, target, headers))
        if credentials is not None and headers.get("proxy-authorization") != credentials:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        there, back = await asyncio.open_connection("127.0.0.1", port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = "/" + target.partition("://")[2].partition("/")[2]
            # One request for each connection, so that each is counted.
            kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
            back.write("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode())
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    async with _listening(handle) as own:
        proxy = Proxy(own)
        yield proxy


@asynccontextmanager
async def tls_before(port: int) -> AsyncIterator[int]:
    """A port that speaks TLS with the certificate of `faults.scenes`, and passes on to a plain one."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(CERTIFICATE)

    async def handle(reader, writer) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    async with _listening(handle, ssl=served) as own:
        yield own
