"""What one `cases.get` costs beside a bare `aiohttp` request whose body `orjson` decodes.

50 tasks send one request after the other to a server in a process of its own, which answers with one case and the
headers of the rate limit, separately for each client. Each request is for another case. The clients run in this
process, in turn, and only its CPU time counts. `cases.get` has the limiter, the retries and the typed model on. The
floor is aiohttp with the same headers and timeouts, and our decoding.

Run: python benchmarks/calls.py [--require] [--steps] [--profile] [--save FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import math
import multiprocessing
import pstats
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import aiohttp
import orjson
from decode import make_page
from ratios import Verdict, save
from steps import count

from persona_cases import PersonaClient
from persona_cases.models.decoding.decode import decode_case

IN_FLIGHT, REQUESTS, ROUNDS = 50, 500, 31
BOUND = 1.4
KEY = "persona_sandbox_benchmark"
LIMIT, PERIOD = 1_000_000, 60
# One for each client. In one, the requests of the others would look like those of other programs to our limiter.
ENVIRONMENTS = 3
HEADERS = ("Accept", "User-Agent", "Authorization", "Key-Inflection", "Persona-Version")
NO_COOKIES = aiohttp.DummyCookieJar
OURS, FLOOR, BARE = "cases.get", "aiohttp alike, typed, nothing else", "aiohttp and orjson"


@dataclass
class Window:
    """The window of one environment."""

    sent: int = 0
    ends: float = 0.0


class Vendor(asyncio.Protocol):
    """Answers every request with one case and the numbers of a fixed window, and does nothing else."""

    head: bytes
    body: bytes

    def __init__(self, window: Window) -> None:
        self._window = window

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request; a GET ends with its headers."""
        *whole, self._received = (self._received + data).split(b"\r\n\r\n")
        window, now = self._window, time.monotonic()
        if now >= window.ends:
            window.sent, window.ends = 0, now + PERIOD
        for _ in whole:
            window.sent += 1
            self._transport.write(self.head % (math.ceil(window.ends - now), LIMIT - window.sent) + self.body)


def serve(pipe: Connection) -> None:
    """Run the server until the pipe says so."""
    case = orjson.loads(make_page())["data"][0]
    Vendor.body = orjson.dumps({"data": case})
    Vendor.head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(Vendor.body)}\r\nRequest-Id: req_ABCDEFGHIJKLMNOP\r\n"
        f"RateLimit-Limit: {LIMIT}\r\nRateLimit-Reset: %d\r\nRateLimit-Remaining: %d\r\n\r\n"
    ).encode()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(partial(Vendor, Window()), "127.0.0.1", 0) for _ in range(ENVIRONMENTS)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.to_thread(pipe.recv)

    asyncio.run(main())


@contextmanager
def server() -> Generator[list[str]]:
    """Run a server in another process and give a base URL for each client."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield [f"http://127.0.0.1:{port}/api/v1" for port in ours.recv()]
    finally:
        ours.send("stop")
        process.join()


async def repeat(get: Callable[[], Awaitable[object]], requests: int = REQUESTS) -> float:
    """Send requests, `IN_FLIGHT` at a time; return the CPU seconds that one takes."""

    async def send() -> None:
        for _ in range(requests // IN_FLIGHT):
            await get()

    began = time.process_time()
    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
    return (time.process_time() - began) / requests


async def measure(base_urls: list[str], *, profile: bool, steps: bool) -> dict[str, list[float]]:
    """Return the CPU seconds of a call with each client, round by round."""
    ours_at, same_at, plain_at = base_urls
    timeout = aiohttp.ClientTimeout(total=60, sock_connect=10)
    async with (
        PersonaClient(KEY, base_url=ours_at) as persona,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as plain,
        aiohttp.ClientSession(headers=dict.fromkeys(HEADERS, "x"), timeout=timeout, cookie_jar=NO_COOKIES()) as same,
    ):
        case_id = map("case_{}".format, itertools.count()).__next__

        async def ours() -> object:
            return await persona.cases.get(case_id())

        async def floor() -> object:
            async with same.get(f"{same_at}/cases/{case_id()}") as answer:
                return decode_case(await answer.read())

        async def bare() -> object:
            async with plain.get(f"{plain_at}/cases/{case_id()}") as answer:
                return orjson.loads(await answer.read())

        clients = {OURS: ours, FLOOR: floor, BARE: bare}
        for get in clients.values():
            await repeat(get, IN_FLIGHT * 2)
        if steps:
            for name, get in clients.items():
                rooms, entered = await count(partial(repeat, get), 4 * REQUESTS)
                print(f"{name}: {sum(rooms.values()):.0f} bytecodes in {entered:.0f} functions")
                print("".join(f"    {room:36} {bytecodes:5.0f}\n" for room, bytecodes in rooms.items()))
        if profile:
            with cProfile.Profile() as profiler:
                await repeat(ours, 1_000)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        took: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(ROUNDS):
            for name, get in clients.items():
                took[name].append(await repeat(get))
    return took


def main() -> int:
    """Measure, and compare with the bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--require", action="store_true", help="fail if a call costs more than its bound")
    parser.add_argument("--steps", action="store_true", help="print the bytecodes that a call takes, room by room")
    parser.add_argument("--profile", action="store_true", help="print where a thousand calls spend their time")
    parser.add_argument("--save", type=Path, metavar="FILE", help="put the ratio into a file for chart.py")
    arguments = parser.parse_args()
    with server() as base_urls:
        took = asyncio.run(measure(base_urls, profile=arguments.profile, steps=arguments.steps))
    # What else runs on the machine slows neighbouring rounds alike, so rounds are compared, not sums.
    ratios = {
        name: statistics.median(one / other for one, other in zip(seconds, took[BARE], strict=True))
        for name, seconds in took.items()
    }
    for name, seconds in took.items():
        print(f"{name:40} {statistics.median(seconds) * 1e6:5.0f} us {ratios[name]:5.2f} x")
    what = f"CPU of one cases.get, {IN_FLIGHT} in flight, of bare aiohttp + orjson"
    verdict = Verdict(what, ratios[OURS], BOUND, ratios[FLOOR])
    print(verdict)
    if arguments.save is not None:
        save(arguments.save, "call", [verdict])
    return int(arguments.require and not verdict.good)


if __name__ == "__main__":
    sys.exit(main())
