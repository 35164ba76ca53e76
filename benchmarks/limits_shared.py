"""How close several processes that share one rate limit through Redis come to the ideal time, and who gets refused.

A simulator holds all of them to one window; each process has a different number of requests to send, all at once. The
ideal is that of a single sender who knows everything: every window but the last takes its whole period, the last one a
round trip. "without Redis" is the same with nobody listening at Redis' address: each process keeps to its part.

With --contention it also measures how many requests in a second are let go and settled while the window has room for
all: with one limiter, and with 16 in four processes.

Needs the program `redis-server` (Debian: apt-get install redis-server).

Run: python benchmarks/limits_shared.py [--require 1.15] [--without-redis] [--contention]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import attrs
from redis.asyncio import Redis
from redis.exceptions import RedisError

from persona_cases import PersonaClient
from persona_cases.limits import Feedback, RedisLimiter, WindowReading
from persona_cases.testing import Simulator

LIMIT, PERIOD, LATENCY = 60, 6.0, 0.05
LOADS = (150, 90, 45, 15)
ROOM, STEPS = 1_000_000, 250
IDEAL = (math.ceil(sum(LOADS) / LIMIT) - 1) * PERIOD + LATENCY


@attrs.frozen
class Run:
    """What a run came to."""

    seconds: float
    refused: int
    windows: tuple[int, ...]


async def send(redis_url: str, base_url: str, api_key: str, requests: int) -> None:
    """What one process does."""
    limiter = RedisLimiter(redis_url, environment="env_benchmark", limit=LIMIT, period=PERIOD, processes=len(LOADS))
    async with limiter, PersonaClient(api_key, base_url=base_url, limiter=limiter) as persona:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(persona.rate_limits() for _ in range(requests)))
        print("done", flush=True)
        # What is left of the program's end is no part of the work.
        await asyncio.to_thread(sys.stdin.readline)


async def contend(redis_url: str, limiters: int) -> None:
    """What one process does when the window has room for everything."""
    plenty = Feedback(reading=WindowReading(ROOM, ROOM - 1, 60), answered=True)

    async def pass_through(limiter: RedisLimiter, requests: int) -> None:
        for _ in range(requests):
            await limiter.settle(await limiter.acquire(), plenty)

    async with AsyncExitStack() as stack:
        made = [RedisLimiter(redis_url, environment="env_contention", limit=ROOM) for _ in range(limiters)]
        for limiter in made:
            await stack.enter_async_context(limiter)
            await pass_through(limiter, 1)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(pass_through(limiter, STEPS) for limiter in made))
        print("done", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


async def rate(redis_url: str, processes: int, limiters: int) -> float:
    """Requests a second that are let go and settled."""
    worker = (sys.executable, __file__, "--contender", redis_url, str(limiters))
    return processes * limiters * STEPS / await race([worker] * processes)


async def race(workers: list[tuple[str, ...]]) -> float:
    """Let processes begin together; return the seconds until the last is done."""
    async with AsyncExitStack() as stack:
        processes = [await asyncio.create_subprocess_exec(*worker, stdin=PIPE, stdout=PIPE) for worker in workers]
        for process in processes:
            stack.push_async_callback(process.wait)
            await hear(process, b"ready")
        started = time.perf_counter()
        await asyncio.gather(*map(tell, processes))
        await asyncio.gather(*(hear(process, b"done") for process in processes))
        elapsed = time.perf_counter() - started
        await asyncio.gather(*map(tell, processes))
    return elapsed


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def redis_server(program: str) -> AsyncGenerator[str]:
    """A Redis server of our own; gives its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        settings = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory)
        server = await asyncio.create_subprocess_exec(program, *settings, stdout=subprocess.DEVNULL)
        try:
            async with Redis(port=port) as redis:
                while True:
                    try:
                        await redis.ping()
                        break
                    except RedisError:
                        await asyncio.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            await server.wait()


async def tell(process: Process) -> None:
    """Let a waiting process go on."""
    if process.stdin is not None:
        process.stdin.write(b"\n")
        await process.stdin.drain()


async def hear(process: Process, word: bytes) -> None:
    """Wait until a process says something."""
    said = b"" if process.stdout is None else (await process.stdout.readline()).strip()
    if said != word:
        raise SystemExit(f"a process said {said!r} instead of {word!r}")


async def run(redis_url: str) -> Run:
    """Let all processes send at once."""
    async with Simulator(cases=1, rate_limit=f"{LIMIT}/{PERIOD:g}", latency=LATENCY) as simulator:
        worker = (sys.executable, __file__, "--worker", redis_url, simulator.base_url, simulator.api_key)
        elapsed = await race([(*worker, str(n)) for n in LOADS])
        refused = sum(request.status == 429 for request in simulator.requests)
        arrivals = [request.received_at for request in simulator.requests]
    return Run(elapsed, refused, tuple(per_window(arrivals)))


def per_window(arrivals: list[float]) -> list[int]:
    """Count the requests of each of the vendor's windows."""
    counts: list[int] = []
    ends = -math.inf
    for arrival in arrivals:
        if arrival >= ends:
            ends = arrival + PERIOD
            counts.append(0)
        counts[-1] += 1
    return counts


def report(title: str, outcome: Run) -> float:
    """Print one line; gives back the ratio to the ideal."""
    ratio = outcome.seconds / IDEAL
    windows = ", ".join(map(str, outcome.windows))
    print(f"{title:<16} {outcome.seconds:>8.2f} {ratio:>9.3f} {outcome.refused:>6}   {windows}")
    return ratio


async def measure(program: str, arguments: argparse.Namespace) -> int:
    """Run, print, and judge."""
    loads = "/".join(map(str, LOADS))
    print(f"{len(LOADS)} processes send {loads} requests; {LIMIT} per {PERIOD:g} s, {LATENCY * 1000:g} ms latency")
    print(f"{'':<16} {'seconds':>8} {'x ideal':>9} {'429s':>6}   requests in each window")
    print(f"{'ideal':<16} {IDEAL:>8.2f} {1:>9.3f} {0:>6}")
    async with redis_server(program) as redis_url:
        outcome = await run(redis_url)
        ratio = report("one Redis", outcome)
        if arguments.contention:
            for processes, limiters in ((1, 1), (4, 4)):
                passed = await rate(redis_url, processes, limiters)
                print(f"{processes * limiters} limiters in {processes} processes: {passed:.0f} requests a second")
    if arguments.without_redis:
        report("without Redis", await run(f"redis://127.0.0.1:{free_port()}/0"))
    if arguments.require is not None and (ratio > arguments.require or outcome.refused):
        print(f"\n{ratio:.3f} times the ideal, {outcome.refused} refused: wanted at most {arguments.require}, and none")
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--require", type=float, help="fail if the ratio to the ideal is above this, or any is refused")
    parser.add_argument("--without-redis", action="store_true", help="also measure what is left without Redis")
    parser.add_argument("--contention", action="store_true", help="also measure requests a second")
    parser.add_argument("--contender", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        redis_url, base_url, api_key, requests = arguments.worker
        asyncio.run(send(redis_url, base_url, api_key, int(requests)))
        return 0
    if arguments.contender:
        asyncio.run(contend(arguments.contender[0], int(arguments.contender[1])))
        return 0
    program = shutil.which("redis-server")
    if program is None:
        print("redis-server is not installed (Debian: apt-get install redis-server)", file=sys.stderr)
        return 1
    return asyncio.run(measure(program, arguments))


if __name__ == "__main__":
    raise SystemExit(main())
