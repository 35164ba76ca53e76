"""How close one process comes to the ideal time under a rate limit, and what strangers and faults cost.

A simulator in a process of its own holds the client to 60 requests per 6 seconds, and answers 50 milliseconds late. The
client is told nothing of that: it begins with the 300 per minute that are documented.

* "walkers": 16 tasks walk pages side by side, 300 requests in all. "handlers": 300 tasks want one case each, at once.
  The ideal is that of a sender who knows everything: 300 requests need 5 windows, so 4 whole periods and one latency.
* "strangers": the handlers again, while somebody else sends 30 % of the budget, spread evenly and limited by nothing.
  Then the ideal is 7 whole periods and one latency, since 42 of 60 are left for us. The least used window is counted
  from what the simulator received, without the first and the last one, in which we did not send all the time.
* "configured": the handlers again, with a limiter that was told the period.
* "faults": no limit, but one answer in five fails (500, 503, reset, torn); 10,000 cases are listed. The ratio is that
  of requests to pages.

Run: python benchmarks/limits.py [--require] [--only NAME] [--shared]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import multiprocessing
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from persona_cases import PersonaClient, RetryPolicy
from persona_cases.limits import LocalLimiter
from persona_cases.testing import Fault, Simulator

LIMIT, PERIOD, LATENCY = 60, 6.0, 0.05
REQUESTS, WALKERS = 300, 16
STRANGERS = 18
CASES, PAGE, FAULTY = 10_000, 100, 0.2
BOUND, BOUND_REFUSED, BOUND_UNUSED, BOUND_FAULTS, BOUND_SHARED = 1.08, 0.01, 0.1, 1.5, 1.2
STRANGER = "stranger"


@attrs.frozen
class Received:
    """A request, as the simulator saw it."""

    at: float
    status: int | None
    ours: bool


@attrs.frozen
class Server:
    """The simulator in the other process."""

    pipe: Connection
    base_url: str
    api_key: str
    ids: list[str]

    def received(self) -> list[Received]:
        """What it received so far."""
        self.pipe.send("report")
        received: list[Received] = self.pipe.recv()
        return received


@attrs.frozen
class Result:
    """One line of the table."""

    name: str
    requests: int
    refused: int
    wall: float
    ratio: float
    bound: str
    missed: bool


def serve(pipe: Connection, settings: dict[str, Any], faulty: float) -> None:
    """What the other process does."""

    async def main() -> None:
        async with Simulator(**settings) as simulator:
            faults = (Fault.status(500), Fault.status(503), Fault.reset(), Fault.torn())
            # The rules are asked one after the other.
            share = 1 - (1 - faulty) ** (1 / len(faults))
            for fault in faults if faulty else ():
                simulator.faults.add(fault, probability=share)
            pipe.send((simulator.base_url, simulator.api_key, list(simulator.store.cases)[:REQUESTS]))
            while await asyncio.to_thread(pipe.recv) == "report":
                pipe.send(
                    [
                        Received(each.received_at, each.status, each.headers.get("user-agent") != STRANGER)
                        for each in simulator.requests
                    ]
                )

    asyncio.run(main())


@contextmanager
def simulator(*, faulty: float = 0.0, **settings: Any) -> Generator[Server]:
    """Run a simulator in another process, so that it does not compete with the client for one event loop."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs, settings, faulty))
    process.start()
    # Ours hears of it if the other process ends early.
    theirs.close()
    try:
        yield Server(ours, *ours.recv())
    finally:
        ours.send("stop")
        process.join()


@asynccontextmanager
async def stranger(server: Server) -> AsyncGenerator[None]:
    """Let somebody else use up part of each window, evenly and without a limiter."""

    async def send(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.base_url}/cases?page[size]=1") as response:
            await response.read()

    async def keep_sending(session: aiohttp.ClientSession) -> None:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(1_000_000):
                await asyncio.sleep(max(0.0, started + number * PERIOD / STRANGERS - time.monotonic()))
                group.create_task(send(session))

    headers = {"Authorization": f"Bearer {server.api_key}", "User-Agent": STRANGER}
    async with aiohttp.ClientSession(headers=headers) as session:
        task = asyncio.create_task(keep_sending(session))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


async def walkers(persona: PersonaClient, _: Server) -> None:
    """Walk pages of one case each, in tasks that each need one answer for the next request."""
    shares = [REQUESTS // WALKERS + (number < REQUESTS % WALKERS) for number in range(WALKERS)]
    await asyncio.gather(*(persona.cases.list(page_size=1).limit(share).collect() for share in shares))


async def handlers(persona: PersonaClient, server: Server) -> None:
    """Ask for all cases at once."""
    await asyncio.gather(*(persona.cases.get(case_id) for case_id in server.ids))


async def timed(
    server: Server, work: Callable[[PersonaClient, Server], Awaitable[None]], limiter: LocalLimiter | None = None
) -> float:
    """Do some work with a new client; return the seconds that it took."""
    async with PersonaClient(server.api_key, base_url=server.base_url, limiter=limiter) as persona:
        started = time.monotonic()
        await work(persona, server)
        return time.monotonic() - started


def per_window(received: list[Received]) -> list[int]:
    """Count what was not refused in each of the windows, which open with the first request after the last one ended."""
    counts: list[int] = []
    ends = -math.inf
    for each in sorted(received, key=lambda each: each.at):
        if each.at >= ends:
            ends = each.at + PERIOD
            counts.append(0)
        counts[-1] += each.status != 429
    return counts


def alone(
    name: str, work: Callable[[PersonaClient, Server], Awaitable[None]], limiter: LocalLimiter | None = None
) -> Result:
    """Measure some work of 300 requests against the limit, with nobody else there."""
    with simulator(cases=REQUESTS, rate_limit=f"{LIMIT}/{PERIOD:g}", latency=LATENCY) as server:
        wall = asyncio.run(timed(server, work, limiter))
        received = server.received()
    refused = sum(each.status == 429 for each in received)
    ratio = wall / ideal(REQUESTS / LIMIT)
    missed = ratio > BOUND or refused > 0 or len(received) != REQUESTS
    return Result(name, len(received), refused, wall, ratio, f"x ideal <= {BOUND:.2f}, no 429", missed)


def ideal(windows: float) -> float:
    """Seconds that so many windows take at least: all but the last one a period, the last one a latency."""
    return (math.ceil(windows) - 1) * PERIOD + LATENCY


def with_strangers() -> Result:
    """Measure the handlers while somebody else uses up part of each window."""

    async def work(server: Server) -> float:
        async with stranger(server):
            await asyncio.sleep(1.0)
            return await timed(server, handlers)

    with simulator(cases=REQUESTS, rate_limit=f"{LIMIT}/{PERIOD:g}", latency=LATENCY) as server:
        wall = asyncio.run(work(server))
        received = server.received()
    ours = [each for each in received if each.ours]
    refused = sum(each.status == 429 for each in ours)
    windows = per_window(received)
    least = min(windows[1:-1]) / LIMIT
    missed = refused > BOUND_REFUSED * len(ours) or least < 1 - BOUND_UNUSED
    bound = f"429s <= {BOUND_REFUSED:.0%}, used >= {1 - BOUND_UNUSED:.0%}: {least:.0%} of {windows}"
    return Result("strangers", len(ours), refused, wall, wall / ideal(REQUESTS / (LIMIT - STRANGERS)), bound, missed)


def with_faults() -> Result:
    """Measure how many requests a walk needs where many fail, and whether it finds every case once."""

    async def work(persona: PersonaClient, _: Server) -> None:
        patient = persona.with_options(retry=RetryPolicy(attempts=10, base=0.02))
        found.extend([case.id async for case in patient.cases.list(page_size=PAGE)])

    found: list[str] = []
    with simulator(cases=CASES, faulty=FAULTY) as server:
        wall = asyncio.run(timed(server, work))
        requests = len(server.received())
    ratio = requests / (CASES / PAGE)
    once = len(found) == len(set(found)) == CASES
    bound = f"x pages <= {BOUND_FAULTS}, each case once: {'yes' if once else 'NO'}"
    return Result("faults", requests, 0, wall, ratio, bound, ratio > BOUND_FAULTS or not once)


SCENARIOS: dict[str, Callable[[], Result]] = {
    "walkers": lambda: alone("walkers", walkers),
    "handlers": lambda: alone("handlers", handlers),
    "configured": lambda: alone("configured", handlers, LocalLimiter(LIMIT, PERIOD)),
    "strangers": with_strangers,
    "faults": with_faults,
}


def shared(*, require: bool) -> bool:
    """Run the benchmark of several processes; return whether it missed its bound."""
    program = Path(__file__).with_name("limits_shared.py")
    print(f"\n{program.name}", flush=True)
    command = [sys.executable, str(program), *(["--require", str(BOUND_SHARED)] if require else [])]
    return subprocess.run(command, check=False).returncode != 0  # noqa: S603 - a program of ours


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--require", action="store_true", help="fail if a bound is missed")
    parser.add_argument("--only", choices=SCENARIOS, help="measure one scenario")
    parser.add_argument("--shared", action="store_true", help="also run limits_shared.py, which needs a Redis server")
    arguments = parser.parse_args()
    print(f"{LIMIT} per {PERIOD:g} s, {LATENCY * 1000:g} ms latency; ideal {ideal(REQUESTS / LIMIT):.2f} s")
    print(f"{'scenario':<12} {'requests':>8} {'429s':>5} {'wall s':>7} {'ratio':>6}  bound")
    missed = False
    for name in [arguments.only] if arguments.only else SCENARIOS:
        each = SCENARIOS[name]()
        mark = "  MISSED" if each.missed else ""
        print(
            f"{each.name:<12} {each.requests:>8} {each.refused:>5} {each.wall:>7.2f} {each.ratio:>6.3f}  "
            f"{each.bound}{mark}",
            flush=True,
        )
        missed |= each.missed
    if arguments.shared:
        missed |= shared(require=arguments.require)
    return int(arguments.require and missed)


if __name__ == "__main__":
    raise SystemExit(main())
