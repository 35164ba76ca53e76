"""What a bulk export costs: CPU, wall time, requests and memory, against the loop that one would write by hand.

The server is a process of its own that does nothing but answer: it makes the pages of any number of cases out of a few
prepared ones, so that it is not what is measured. Every figure is that of a whole process, its start included: of
`export_ours.py`, and of `export_by_hand.py`, a loop over the cursor with aiohttp and orjson.

* cpu: the CPU time of 200,000 cases, no latency, no limit.
* latency: the wall time of 20,000 cases at 100 ms latency, no limit.
* clustered: the same with 90 % of the cases in 1 % of the time.
* window: 30,000 cases at 50 ms latency, 60 requests in a window of 6 s. The ideal is that all windows are used up.
* memory: the peak memory of 1,000,000 cases against that of 50,000.

Run: python benchmarks/export.py [--require] [cpu latency clustered window memory]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import orjson
from aiohttp import web
from decode import make_page

from persona_cases.testing.clock import SystemClock
from persona_cases.testing.rate_window import FixedWindow, RateLimit

PROGRAMS = {"ours": "export_ours.py", "by hand": "export_by_hand.py"}
SEARCH = "/api/v1/cases/search"
OLDEST = datetime(2024, 1, 1, tzinfo=UTC)
SPAN_MS = 730 * 86_400_000


@attrs.frozen
class Scene:
    """What a server is set up with."""

    cases: int
    latency: float = 0.0
    rate_limit: str | None = None
    clustered: bool = False


SCENES = {
    "cpu": Scene(200_000),
    "latency": Scene(20_000, latency=0.1),
    "clustered": Scene(20_000, latency=0.1, clustered=True),
    "window": Scene(30_000, latency=0.05, rate_limit="60/6"),
    "memory": Scene(1_000_000),
    "memory-small": Scene(50_000),
}


# ---- the server ----------------------------------------------------------------------------------------------------


class Vendor:
    """Answers searches by creation time, and counts."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._moments = _clustered(scene.cases) if scene.clustered else _growing(scene.cases)
        self._forms = [_cut_open(case) for case in orjson.loads(make_page())["data"]]
        self._window = FixedWindow(RateLimit.parse(scene.rate_limit), SystemClock())
        self.requests = self.refused = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/stats":
            counts, self.requests, self.refused = (self.requests, self.refused), 0, 0
            return web.json_response(counts)
        body = orjson.loads(await request.read() or b"{}")
        self.requests += 1
        window = self._window.spend()
        if self._scene.latency:
            await asyncio.sleep(self._scene.latency)
        if not window.allowed:
            self.refused += 1
            return web.json_response({"errors": [{"title": "Too many requests"}]}, status=429, headers=window.headers())
        page = self._page(body, request.query)
        return web.Response(body=page, content_type="application/json", headers=window.headers())

    def _page(self, body: dict[str, Any], query: Any) -> bytes:
        size, after = int(query["page[size]"]), query.get("page[after]")
        found = self._found(body.get("query"))
        if body["sort"]["direction"] == "desc":
            parts = [part[::-1] for part in reversed(found)]
        elif after is not None:
            place = int(after[5:]) + 1
            parts = [range(max(part.start, place), part.stop) for part in found if place < part.stop]
        else:
            parts = found
        numbers = [*islice(chain.from_iterable(parts), size + 1)]
        more, numbers = len(numbers) > size, numbers[:size]
        link = f'"{SEARCH}?page%5Bafter%5D=case_{numbers[-1]:024}&page%5Bsize%5D={size}"' if more else "null"
        return b'{"data":[%b],"links":{"prev":null,"next":%b}}' % (b",".join(map(self._case, numbers)), link.encode())

    def _found(self, query: dict[str, Any] | None) -> list[range]:
        """Numbers of cases, of ranges of time that do not overlap."""
        if query is not None and "or" in query:
            return sorted((part for each in query["or"] for part in self._found(each)), key=lambda part: part.start)
        low, high = 0, len(self._moments)
        leaves: list[dict[str, Any]] = [] if query is None else query.get("and", [query])
        for leaf in leaves:
            moment = int((datetime.fromisoformat(leaf["value"]) - OLDEST) / timedelta(milliseconds=1))
            place = bisect_left(self._moments, moment)
            low, high = (max(low, place), high) if leaf["operator"] == "gte" else (low, min(high, place))
        return [range(low, high)]

    def _case(self, number: int) -> bytes:
        head, middle, tail = self._forms[number % len(self._forms)]
        created = OLDEST + timedelta(milliseconds=self._moments[number])
        text = created.isoformat(timespec="milliseconds")[:23]
        return b"%bcase_%024d%b%b%b" % (head, number, middle, text.encode(), tail)


def _cut_open(case: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    case["id"] = "ID"
    case["attributes"]["created_at"] = "TIMEZ"
    text: bytes = orjson.dumps(case)
    head, rest = text.split(b"ID", 1)
    middle, tail = rest.split(b"TIME", 1)
    return head, middle, tail


def _growing(count: int) -> list[int]:
    """Cases that come three times as often in the end, two in a hundred at the same time as another."""
    places = [(number - (number % 50 == 1)) / count for number in range(count)]
    return [SPAN_MS - int(SPAN_MS * (1 - x) * (2 + x) / 2) for x in places]


def _clustered(count: int) -> list[int]:
    few = count // 10
    outside = [SPAN_MS * number // few for number in range(few)]
    start, span = SPAN_MS * 37 // 100, SPAN_MS // 100
    return sorted([*outside, *(start + span * number // (count - few) for number in range(count - few))])


async def serve(scene: Scene) -> None:
    """Answer until standard input ends."""
    runner = web.ServerRunner(web.Server(Vendor(scene).answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


# ---- measuring -----------------------------------------------------------------------------------------------------


@attrs.frozen
class Run:
    """What the process of an exporter used."""

    seconds: float
    user: float
    system: float
    megabytes: float
    requests: int
    refused: int

    @property
    def cpu(self) -> float:
        """Seconds of processor time."""
        return self.user + self.system


class Bench:
    """A server and the exporters that are sent to it."""

    def __init__(self, scene: Scene, port: int, directory: Path) -> None:
        self._scene = scene
        self._origin = f"http://127.0.0.1:{port}"
        self._directory = directory

    async def run(self, exporter: str) -> Run:
        output = self._directory / "cases.jsonl"
        program = Path(__file__).with_name(PROGRAMS[exporter])
        command = [sys.executable, str(program), f"{self._origin}/api/v1", str(output)]
        started = time.perf_counter()
        process = subprocess.Popen(command)  # noqa: ASYNC220, S603
        _, status, used = await asyncio.to_thread(os.wait4, process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{exporter} failed")
        await asyncio.to_thread(self._check, output)
        async with aiohttp.ClientSession() as session, session.get(f"{self._origin}/stats") as answer:
            requests, refused = await answer.json()
        run = Run(seconds, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024, requests, refused)
        print(
            f"  {exporter:<8} {run.seconds:8.2f} s {run.cpu:6.2f} s CPU ({run.user:.2f} + {run.system:.2f})"
            f" {run.megabytes:7.0f} MB {run.requests:6} requests {run.refused:3} refused"
        )
        return run

    def _check(self, output: Path) -> None:
        # Not all at once: the peak memory of a new process counts what it was forked from.
        count, latest = 0, b""
        with output.open("rb") as file:
            for line in file:
                count, before, latest = count + 1, latest, line.split(b'"', 8)[7]
                if before >= latest:
                    raise SystemExit("the file does not hold every case once and in order")
        if count != self._scene.cases:
            raise SystemExit("the file does not hold every case")


@asynccontextmanager
async def bench(name: str) -> AsyncGenerator[Bench]:
    """A bench with a running server."""
    scene = SCENES[name]
    print(f"{name}: {scene}")
    command = [sys.executable, __file__, "--serve", name]
    server = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None  # noqa: S101
    assert server.stdout is not None  # noqa: S101
    try:
        port = int(await server.stdout.readline())
        with tempfile.TemporaryDirectory() as directory:
            yield Bench(scene, port, Path(directory))
    finally:
        server.stdin.close()
        await server.wait()


@attrs.frozen
class Verdict:
    """A figure and what it may be at most."""

    what: str
    value: float
    wanted: float

    @property
    def good(self) -> bool:
        return self.value <= self.wanted


async def measure_cpu() -> list[Verdict]:
    async with bench("cpu") as it:
        hand, own = await it.run("by hand"), await it.run("ours")
    return [Verdict("CPU, of that by hand", own.cpu / hand.cpu, 0.40)]


async def measure_latency() -> list[Verdict]:
    async with bench("latency") as it:
        hand, own = await it.run("by hand"), await it.run("ours")
    return [
        Verdict("time, of that by hand", own.seconds / hand.seconds, 1 / 12),
        Verdict("requests", own.requests, 210),
    ]


async def measure_clustered() -> list[Verdict]:
    async with bench("clustered") as it:
        hand, own = await it.run("by hand"), await it.run("ours")
    return [Verdict("time, of that by hand", own.seconds / hand.seconds, 1 / 8)]


async def measure_window() -> list[Verdict]:
    async with bench("window") as it:
        own = await it.run("ours")
    limit, period = 60, 6.0
    pages = math.ceil(SCENES["window"].cases / 100)
    return [
        Verdict("time, of the ideal of 300 requests", own.seconds / ((math.ceil(pages / limit) - 1) * period), 1.08),
        Verdict("time, of the ideal of as many requests", own.seconds / (own.requests // limit * period), 1.08),
        Verdict("requests", own.requests, 303),
        Verdict("refused", own.refused, 0),
    ]


async def measure_memory() -> list[Verdict]:
    async with bench("memory-small") as it:
        small = await it.run("ours")
    async with bench("memory") as it:
        large = await it.run("ours")
    return [Verdict("memory, of that of 50,000 cases", large.megabytes / small.megabytes, 1.2)]


SCENARIOS: dict[str, Callable[[], Awaitable[list[Verdict]]]] = {
    "cpu": measure_cpu,
    "latency": measure_latency,
    "clustered": measure_clustered,
    "window": measure_window,
    "memory": measure_memory,
}


async def measure(names: list[str], *, require: bool) -> int:
    """Run, print, and judge."""
    missed = 0
    for name in names:
        for verdict in await SCENARIOS[name]():
            missed += not verdict.good
            mark = "" if verdict.good else "   MISSED"
            print(f"  {verdict.what}: {verdict.value:.3f}, wanted at most {verdict.wanted:.3f}{mark}")
    return 1 if require and missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help="which to run; all, if left out")
    parser.add_argument("--require", action="store_true", help="fail if a figure is missed")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(SCENES[arguments.serve]))
        return 0
    unknown = set(arguments.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return asyncio.run(measure(arguments.scenarios or list(SCENARIOS), require=arguments.require))


if __name__ == "__main__":
    raise SystemExit(main())
