"""What a sync costs: `python benchmarks/mirror.py [--cases 1000000] [--changes 1000]`.

A mirror in SQLite is filled with so many cases, straight into its tables. Then so many of them change, and one sync
reads that from a simulator. It prints requests, seconds, and by how much the memory of the process grew at most.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona_cases.mirror import CaseVersion, Mark, MirrorSettings, Put
from persona_cases.mirror.targets.sqlite_mirror import SqliteMirror
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.testing import ManualClock, Simulator

PAGE = 100
FILLED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def pages(lines: list[bytes], ids: list[str], total: int) -> Iterator[list[Put]]:
    """Cases of the simulator first, then copies of them under other ids."""
    first = FILLED_AT - timedelta(days=700)
    for start in range(0, total, PAGE):
        puts = list[Put]()
        for number in range(start, min(start + PAGE, total)):
            line, id = lines[number % len(lines)], ids[number % len(ids)]
            name = id if number < len(ids) else f"case_{number}"
            at = moment_of(first + timedelta(seconds=number))
            version = CaseVersion(created_at=at, updated_at=at, indexed="")
            puts.append(Put(id=name, line=line.replace(id.encode(), name.encode()), version=version, change="added"))
        yield puts


def fill(path: Path, lines: list[bytes], ids: list[str], total: int) -> float:
    """Fill a mirror, and return its size in GB."""
    mirror = SqliteMirror(path)
    mirror.begin(MirrorSettings())
    for number, puts in enumerate(pages(lines, ids, total), start=1):
        mirror.apply(puts)
        if number % 100 == 0:
            mirror.commit(Mark())
    mirror.commit(Mark(watermark=moment_of(FILLED_AT), overlap=600_000))
    mirror.end()
    return path.stat().st_size / 1e9


def peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(path: Path, total: int, changes: int) -> None:
    clock = ManualClock(FILLED_AT)
    async with Simulator(cases=changes, clock=clock) as sim, sim.client() as persona:
        cases = await persona.cases.search().collect()
        started = time.perf_counter()
        size = fill(path, [case.raw_line for case in cases], [case.id for case in cases], total)
        took = time.perf_counter() - started
        print(f"filled with {total:,} cases in {took:,.0f} s: {size:.2f} GB")
        # After the overlap, so that these are all the changes that there are to read.
        clock.advance(3600)
        for id in list(sim.store.cases):
            sim.store.update_case(id, status="approved")
        before = peak()
        report = await persona.cases.sync(to=path)
        print(f"synced: {report}")
        print(f"memory: {before:.0f} MB before, {peak():.0f} MB at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=1000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory) / "cases.db", chosen.cases, chosen.changes))


main()
