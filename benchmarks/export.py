"""What a bulk export costs: CPU, wall time, requests and memory, against loops that one would write by hand.

Every figure is that of a whole process, its start included, on another core than the server's: of `exporters/ours.py`,
and of loops over the cursor with 100 cases a page that write JSON Lines, with aiohttp and orjson, httpx and json, or
requests.

* steps: the bytecodes of one page, beside those of the loop with the same guarantees. They judge nothing, because on a
  busy machine there are more fetchers, and threads that write.
* tables: the CPU time of 50,000 cases as Parquet, CSV and SQLite, against the same as JSON Lines and DuckDB's
  `read_json` of that to Parquet, with one thread.
* small: the CPU time of 20,000 cases, no latency, no limit.
* cpu: the same of 200,000 cases; as JSON Lines, and iterated over. Both also run `exporters/by_hand_checked.py`, the
  least that an export with our guarantees can do, and `by_hand_called.py`, the same with our calls.
* fresh: the CPU time of a fresh export of 200,000 cases, against the one by search; and the requests of 20,000 cases at
  100 ms latency.
* latency: the wall time of 20,000 cases at 100 ms latency, no limit.
* clustered: the same with 90 % of the cases in 1 % of the time.
* window: 30,000 cases at 50 ms latency, 60 requests in a window of 6 s, against one walk by search; and 29,000 cases,
  whose last window has room, against the ideal that four windows are used up.
* memory: the peak memory of 1,000,000 cases against that of 50,000, as JSON Lines and as Parquet.

Run: python benchmarks/export.py [--require] [--save FILE] [SCENARIO ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import attrs
from export_server import SCENES, Scene
from ratios import Verdict, save

EXPORTERS = Path(__file__).with_name("exporters")
OURS, ITERATED, FRESH = "ours", "ours_iterated", "ours_fresh"
DUCKDB = "by_hand_duckdb"
AIOHTTP, HTTPX, REQUESTS = "by_hand_aiohttp", "by_hand_httpx", "by_hand_requests"
LEAST, CHECKED, CALLED = "by_hand_msgspec", "by_hand_checked", "by_hand_called"
COUNTED = "counted"
ROUNDS = 5
# The server's core, and that of whoever is measured.
CORES = sorted(os.sched_getaffinity(0))[:2]
# Modules are compiled once, when they are installed, and not each time.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


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
    file: float

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

    async def run(self, exporter: str, ending: str = "jsonl", *, keep: bool = False) -> Run:
        output = self._directory / f"cases.{ending}"
        program = EXPORTERS / f"{exporter}.py"
        command = [sys.executable, str(program), f"{self._origin}/api/v1", str(output)]
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: ASYNC220, S603
            command,
            env=ENVIRONMENT,
            preexec_fn=lambda: os.sched_setaffinity(0, CORES[-1:]),  # noqa: PLW1509
        )
        _, status, used = await asyncio.to_thread(os.wait4, process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{exporter} failed")
        await asyncio.to_thread(self._check, output, exporter)
        size = output.stat().st_size / 1e6
        if not keep:
            output.unlink()
        async with aiohttp.ClientSession() as session, session.get(f"{self._origin}/stats") as answer:
            requests, refused = await answer.json()
        run = Run(seconds, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024, requests, refused, size)
        print(
            f"  {exporter:<16} {ending:<8}{run.seconds:8.2f} s {run.cpu:6.2f} s CPU ({run.user:.2f} + {run.system:.2f})"
            f" {run.megabytes:7.0f} MB {run.requests:6} requests {run.refused:3} refused"
            f" {run.file:6.1f} MB of file"
        )
        return run

    async def output_of(self, program: str, *arguments: str) -> bytes:
        """Run a program with these arguments, the URL and the file, and return what it prints."""
        output = self._directory / "cases.jsonl"
        command = [sys.executable, str(EXPORTERS / f"{program}.py"), *arguments, f"{self._origin}/api/v1", str(output)]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, CORES[-1:]),
        )
        printed, _ = await process.communicate()
        if process.returncode:
            raise SystemExit(f"{program} failed")
        output.unlink()
        return printed

    def _check(self, output: Path, exporter: str) -> None:
        if exporter == ITERATED:
            whole = output.read_text(encoding="ascii").startswith(f"{self._scene.cases} ")
        elif output.suffix in ROWS:
            whole = _rows(output) == self._scene.cases
        else:
            whole = _lines_in_order(output) == self._scene.cases
        if not whole:
            raise SystemExit(f"{exporter} does not have every case once and in order")


# In processes of their own or line by line: the peak memory of a new process counts what it was forked from.


ROWS = {
    ".parquet": "import pyarrow.parquet as p; print(p.ParquetFile(name).metadata.num_rows)",
    ".csv": "import csv; print(sum(1 for _ in csv.DictReader(open(name, newline=''))))",
    ".sqlite": "import sqlite3; print(*sqlite3.connect(name).execute('SELECT count(*) FROM cases').fetchone())",
}


def _rows(output: Path) -> int:
    program = f"import sys; name = sys.argv[1]; {ROWS[output.suffix]}"
    return int(subprocess.check_output([sys.executable, "-c", program, output]))  # noqa: S603


def _lines_in_order(output: Path) -> int:
    count, latest = 0, b""
    with output.open("rb") as file:
        for line in file:
            before, latest = latest, line.split(b'"', 8)[7]
            count += before < latest
    return count


@asynccontextmanager
async def bench(name: str) -> AsyncGenerator[Bench]:
    """A bench with a running server."""
    scene = SCENES[name]
    print(f"{name}: {scene}")
    command = [sys.executable, str(EXPORTERS.with_name("export_server.py")), name]
    server = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, CORES[:1]),
    )
    assert server.stdin is not None  # noqa: S101
    assert server.stdout is not None  # noqa: S101
    try:
        port = int(await server.stdout.readline())
        with tempfile.TemporaryDirectory() as directory:
            yield Bench(scene, port, Path(directory))
    finally:
        server.stdin.close()
        await server.wait()


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the ratio of two exporters that ran in turns: the median of those of each turn.

    The speed of the machine may differ from minute to minute, and is about the same within a turn.
    """
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


async def measure_steps() -> list[Verdict]:
    for exporter in (OURS, CHECKED):
        # The start is in both.
        few, many = [await _bytecodes(exporter, scene) for scene in ("small", "tables")]
        pages = (SCENES["tables"].cases - SCENES["small"].cases) / 100
        per_page = {room: round((times - few.get(room, 0)) / pages) for room, times in many.items()}
        print(f"  {exporter:<16} bytecodes per page: {per_page}")
    return []


async def _bytecodes(exporter: str, scene: str) -> dict[str, int]:
    async with bench(scene) as it:
        found: dict[str, int] = json.loads(await it.output_of(COUNTED, exporter))
    return found


async def measure_tables() -> list[Verdict]:
    found: dict[str, list[Run]] = {ending: [] for ending in ("parquet", "csv", "sqlite")}
    beside: list[float] = []
    async with bench("tables") as it:
        for _ in range(ROUNDS):
            lines = await it.run(OURS, keep=True)
            beside.append(lines.cpu + (await it.run(DUCKDB)).cpu)
            for ending, runs in found.items():
                runs.append(await it.run(OURS, ending))
    of_both = {ending: ratio([run.cpu for run in runs], beside) for ending, runs in found.items()}
    what = "of JSON Lines and DuckDB's read_json"
    return [
        Verdict(f"CPU as Parquet, {what}", of_both["parquet"], 1.3),
        Verdict(f"CPU as CSV, {what}", of_both["csv"], 1.3),
        Verdict(f"CPU as SQLite, {what}", of_both["sqlite"], 2.0),
        Verdict("MB of SQLite for 50,000 cases, of 150", found["sqlite"][0].file / 150, 1.0),
    ]


async def measure_small() -> list[Verdict]:
    async with bench("small") as it:
        names = (AIOHTTP, OURS, CHECKED, CALLED)
        # Half of each is its start, which differs by a fifth from one to the next on a machine that others use.
        rounds = [[(await it.run(name)).cpu for name in names] for _ in range(4 * ROUNDS)]
    hand, own, checked, called = zip(*rounds, strict=True)
    print(f"  the floor with our calls: {ratio(called, hand):.3f}")
    what = "CPU of 20,000 cases, of aiohttp + orjson by hand"
    return [Verdict(what, ratio(own, hand), 0.75, ratio(checked, hand))]


async def measure_fresh() -> list[Verdict]:
    async with bench("cpu") as it:
        rounds = [[(await it.run(name)).cpu for name in (OURS, FRESH)] for _ in range(2 * ROUNDS)]
    search, fresh = zip(*rounds, strict=True)
    async with bench("latency") as it:
        slow = await it.run(FRESH)
    return [
        Verdict("CPU of a fresh export, of one by search", ratio(fresh, search), 1.2),
        Verdict("requests of a fresh export of 200 pages, of 200", slow.requests / 200, 225 / 200),
    ]


async def measure_cpu() -> list[Verdict]:
    async with bench("cpu") as it:
        names = (AIOHTTP, OURS, ITERATED, LEAST, CHECKED, CALLED)
        rounds = [[(await it.run(name)).cpu for name in names] for _ in range(ROUNDS)]
        others = {name: (await it.run(name)).cpu for name in (HTTPX, REQUESTS)}
    hand, own, iterated, least, checked, called = zip(*rounds, strict=True)
    print(f"  the floor with our calls: {ratio(called, least):.3f} of the loop that copies bytes")
    return [
        Verdict("CPU of 200,000 cases, of a loop that copies bytes", ratio(own, least), 1.3, ratio(checked, least)),
        Verdict("CPU, of aiohttp + orjson by hand", ratio(own, hand), 0.75, ratio(checked, hand)),
        Verdict("CPU of typed iteration, of the same", ratio(iterated, hand), 1.15),
        *(Verdict(f"CPU, of {name}", statistics.median(own) / cpu, 0.40) for name, cpu in others.items()),
    ]


async def measure_latency() -> list[Verdict]:
    async with bench("latency") as it:
        own = await it.run(OURS)
        hands = {name: await it.run(name) for name in (AIOHTTP, HTTPX, REQUESTS)}
    return [
        *(Verdict(f"time, of {name}", own.seconds / run.seconds, 1 / 12) for name, run in hands.items()),
        Verdict("requests", own.requests, 210),
    ]


async def measure_clustered() -> list[Verdict]:
    async with bench("clustered") as it:
        hand, own = await it.run(AIOHTTP), await it.run(OURS)
    return [Verdict("time, of that by hand", own.seconds / hand.seconds, 1 / 8)]


async def measure_window() -> list[Verdict]:
    # A server each, so that every run begins a window of its own.
    async with bench("window") as it:
        walk = await it.run(ITERATED)
    async with bench("window") as it:
        own = await it.run(OURS)
    async with bench("window-room") as it:
        roomy = await it.run(OURS)
    ideal = (math.ceil(SCENES["window-room"].cases / 100 / 60) - 1) * 6.0
    return [
        Verdict("time of 300 pages, of one walk by search", own.seconds / walk.seconds, 1.02),
        Verdict("requests for 300 pages", own.requests, 301),
        Verdict("time of 290 pages, of the ideal", roomy.seconds / ideal, 1.08),
        Verdict("refused", own.refused + roomy.refused, 0),
    ]


async def measure_memory() -> list[Verdict]:
    peaks: dict[str, list[float]] = {"jsonl": [], "parquet": []}
    for scene in ("memory-small", "memory"):
        async with bench(scene) as it:
            for ending, found in peaks.items():
                found.append((await it.run(OURS, ending)).megabytes)
    return [
        Verdict(f"memory as {ending}, of that of 50,000 cases", large / small, 1.2)
        for ending, (small, large) in peaks.items()
    ]


SCENARIOS: dict[str, Callable[[], Awaitable[list[Verdict]]]] = {
    "steps": measure_steps,
    "tables": measure_tables,
    "small": measure_small,
    "cpu": measure_cpu,
    "fresh": measure_fresh,
    "latency": measure_latency,
    "clustered": measure_clustered,
    "window": measure_window,
    "memory": measure_memory,
}


async def measure(names: list[str], *, require: bool, to: Path | None) -> int:
    """Run, print, and judge."""
    missed = 0
    for name in names:
        verdicts = await SCENARIOS[name]()
        for verdict in verdicts:
            missed += not verdict.good
            print(f"  {verdict}")
        if to is not None:
            save(to, name, verdicts)
    return 1 if require and missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help="which to run; all, if left out")
    parser.add_argument("--require", action="store_true", help="fail if a figure is missed")
    parser.add_argument("--save", type=Path, metavar="FILE", help="put the ratios into a file for chart.py")
    arguments = parser.parse_args()
    unknown = set(arguments.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return asyncio.run(measure(arguments.scenarios or list(SCENARIOS), require=arguments.require, to=arguments.save))


if __name__ == "__main__":
    raise SystemExit(main())
