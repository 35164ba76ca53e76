"""`export`, killed at any moment and run again: in each format every case once, and the same bytes as in one go."""

from __future__ import annotations

import asyncio
import os
import random
import sys

import pytest

from persona_cases.testing import Simulator

KILLS = int(os.environ.get("PERSONA_CASES_KILLS", "4"))


async def export(sim, path, kill_after=None):
    """Run the command; return whether it came to its end before it had sent so many requests."""
    sim.requests.clear()
    # Without attachments, whose addresses are others in every answer.
    where = ("--base-url", sim.base_url, "-o", str(path), "--fields", "status,created_at,fields,case_template,tags")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "persona_cases", "export", *where),
        env={**os.environ, "PERSONA_API_KEY": sim.api_key},
        stderr=asyncio.subprocess.DEVNULL,
    )
    ending = asyncio.ensure_future(process.wait())
    while kill_after is not None and not ending.done() and len(sim.requests) < kill_after:
        await asyncio.sleep(0.001)
    if kill_after is not None and not ending.done():
        process.kill()
    return await ending == 0


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv.gz", "x.parquet", "x.db"])
async def test_an_export_that_is_killed_again_and_again_is_like_one_that_was_not(tmp_path, name):
    if name == "x.parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    draw, path, at_once = random.Random(name), tmp_path / name, tmp_path / f"at_once_{name}"
    async with Simulator(cases=300 * KILLS, seed=3, latency=0.01) as sim:
        assert await export(sim, at_once)
        for _ in range(KILLS):
            if await export(sim, path, kill_after=draw.randint(1, 8)):
                break
        assert path.exists() or await export(sim, path)
    assert path.read_bytes() == at_once.read_bytes()
    assert {each.name for each in tmp_path.iterdir() if not each.name.endswith(".part")} == {name, at_once.name}
