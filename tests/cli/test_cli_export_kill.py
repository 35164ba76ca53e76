"""`export`, killed at any moment and run again: every case once, and the same content as in one go.

In each format, and from searches as well as from the list. Parquet and SQLite also tell when they were made.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sqlite3

import pytest

from persona_cases.testing import Simulator

KILLS = int(os.environ.get("PERSONA_CASES_KILLS", "3"))


async def export(start, sim, path, consistency, kill_after=None):
    """Run the command; return whether it came to its end before it had sent so many requests."""
    sim.requests.clear()
    # Without attachments, whose addresses are others in every answer.
    what = ("--only", "status,created_at,fields,case_template,tags", "--consistency", consistency)
    account = {**os.environ, "PERSONA_API_KEY": sim.api_key}
    process = await asyncio.to_thread(start, "export", "--base-url", sim.base_url, "-o", str(path), *what, env=account)
    ending = asyncio.ensure_future(asyncio.to_thread(process.wait))
    while kill_after is not None and not ending.done() and len(sim.requests) < kill_after:
        await asyncio.sleep(0.001)
    if kill_after is not None and not ending.done():
        process.kill()
    return await ending == 0


def content(path):
    """All that a file holds, apart from when it was made."""
    if path.suffix == ".parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(path)
        return table.schema.remove_metadata(), table.to_pylist()
    if path.suffix == ".db":
        with contextlib.closing(sqlite3.connect(path)) as database:
            return [line for line in database.iterdump() if '"persona_export"' not in line]
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "consistency"),
    [
        *((name, "search") for name in ("x.jsonl", "x.csv.gz", "x.parquet", "x.db")),
        ("x.jsonl", "fresh"),
    ],
)
async def test_an_export_that_is_killed_again_and_again_is_like_one_that_was_not(start, tmp_path, name, consistency):
    if name == "x.parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    draw, path, at_once = random.Random(name), tmp_path / name, tmp_path / f"at_once_{name}"
    kills = 0
    async with Simulator(cases=300 * KILLS, seed=3, latency=0.01, index_lag=3_600) as sim:
        for _ in range(150):
            sim.store.create_case(status="open")
        assert await export(start, sim, at_once, consistency)
        while kills < KILLS and not await export(start, sim, path, consistency, kill_after=draw.randint(1, 8)):
            kills += 1
        assert path.exists() or await export(start, sim, path, consistency)
        # Searches do not know the youngest ones yet.
        there = len(sim.store.cases) - 150 * (consistency == "search")
    assert content(path) == content(at_once)
    assert kills > 0
    if name == "x.jsonl":
        assert len({json.loads(line)["id"] for line in path.read_bytes().splitlines()}) == there
    assert {each.name for each in tmp_path.iterdir() if not each.name.endswith(".part")} == {name, at_once.name}
