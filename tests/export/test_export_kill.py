"""Killed at any moment and run again, an export goes on where it was."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

from spooling import checkpoints_in

from persona_cases import Q
from persona_cases.testing import Simulator

PROGRAM = Path(__file__).with_name("collecting.py")
KILLS = int(os.environ.get("PERSONA_CASES_KILLS", "6"))
FETCHERS = 5


class Killing:
    """Runs the program, and kills it once the simulator has had so many requests of it."""

    def __init__(self, sim, output):
        self.sim = sim
        self.command = [sys.executable, PROGRAM, sim.base_url, sim.api_key, output, str(FETCHERS)]

    async def start(self, **settings):
        # The program finds the helpers of the tests.
        path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(PROGRAM.parents[1]))))
        environment = {**os.environ, "PYTHONPATH": path}
        return await asyncio.create_subprocess_exec(*map(str, self.command), env=environment, **settings)

    async def run(self, requests=None, pause=0.0):
        """Return whether the program came to its end."""
        self.sim.requests.clear()
        process = await self.start()
        ending = asyncio.ensure_future(process.wait())
        if requests is not None:
            while not ending.done() and len(self.sim.requests) < requests:
                await asyncio.sleep(0.001)
            await asyncio.sleep(pause)
            if not ending.done():
                process.kill()
        code = await ending
        assert code in {0, -9}
        return code == 0

    @property
    def pages(self):
        """The pages that were asked for in the last run, by query."""
        return [(request.body, request.params.get("page[after]")) for request in self.sim.requests]


async def test_an_export_that_is_killed_again_and_again_has_every_case_once(make_client, tmp_path):
    seed = int(os.environ.get("PERSONA_CASES_SEED", random.randrange(2**32)))
    print(f"PERSONA_CASES_SEED={seed}")  # noqa: T201 - shown if the test fails
    draw, output = random.Random(seed), tmp_path / "cases.jsonl"
    # The links to files change with the hour, and this may take long on a busy machine.
    async with Simulator(cases=700 * KILLS, seed=3, latency=0.015, file_token_lifetime=10**8) as sim:
        killing, seen, safe, kills = Killing(sim, output), set(), 0, 0
        while not await killing.run(*((draw.randint(1, 12), draw.uniform(0, 0.03)) if kills < KILLS else ())):
            if output.exists():
                # Killed when all but the tidying up was done: the next run does that, or everything again.
                output.unlink()
                break
            kills += 1
            again = Counter(query for query, after in killing.pages if (query, after) in seen)
            assert all(count <= 2 for count in again.values())
            seen.update(killing.pages)
            before, safe = safe, safe_pages(output)
            # The look for the newest case is no page of a fetcher.
            assert before + len(killing.pages) - safe <= 2 * FETCHERS + (before == 0)
        assert output.exists() or await killing.run()
        expected = [case.raw_line async for case in make_client(sim).cases.search(sort=Q.created_at.asc())]
    assert output.read_bytes() == b"".join(line + b"\n" for line in expected)
    assert [*tmp_path.iterdir()] == [output]
    # If not, this shows nothing.
    assert kills > KILLS // 3


def safe_pages(output):
    """How many pages of an unfinished export need not be fetched again."""
    work = output.with_name(f".{output.name}.export")
    if not (work / "checkpoint.jsonl").exists():
        return 0
    return sum(each.pages for each in checkpoints_in(work)[0].ranges.all)


async def test_an_export_that_was_killed_while_it_was_put_together_is_not_fetched_again(make_client, tmp_path):
    output = tmp_path / "cases.jsonl"
    async with Simulator(cases=500) as sim:
        killing = Killing(sim, output)
        output.mkdir()
        process = await killing.start(stderr=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 1
        output.rmdir()
        assert await killing.run()
        assert killing.pages == []
    assert len(output.read_bytes().splitlines()) == 500
