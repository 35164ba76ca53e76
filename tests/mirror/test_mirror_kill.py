"""Processes that are killed while they sync: nothing is lost, and nothing stays locked.

`PERSONA_CASES_MIRROR_KILLS=50` kills as many per database.
"""

from __future__ import annotations

import asyncio
import os
import sys
from random import Random

import pytest
from mirrored_world import truth

from persona_cases import ClientStateError
from persona_cases.testing import Simulator

KILLS = int(os.environ.get("PERSONA_CASES_MIRROR_KILLS", "1"))

PROGRAM = """
import asyncio, sys
from persona_cases import PersonaClient

async def main():
    async with PersonaClient("key", base_url=sys.argv[1]) as persona:
        while True:
            await persona.cases.sync(to=sys.argv[2], history=True, reconcile=True)

asyncio.run(main())
"""


async def sync_again(client, to: str):
    """Sync as soon as the database knows that the other process is gone."""
    for _ in range(100):
        try:
            return await client.cases.sync(to=to, history=True)
        except ClientStateError:
            await asyncio.sleep(0.1)
    pytest.fail("the mirror stays locked")


async def test_a_killed_sync_loses_nothing(database):
    random = Random(7)
    async with Simulator(cases=320, seed=7, api_key="key") as sim, sim.client() as client:
        for _ in range(KILLS):
            for id in random.sample(list(sim.store.cases), 150):
                sim.store.update_case(id, status=random.choice(["open", "approved"]))
            sim.store.redact_case(random.choice(list(sim.store.cases)))
            seen, wanted = len(sim.requests), random.randint(1, 12)
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, sim.base_url, database.to)
            while len(sim.requests) < seen + wanted and child.returncode is None:
                await asyncio.sleep(0.003)
            await asyncio.sleep(random.random() * 0.05)
            child.kill()
            assert await child.wait() == -9
        await sync_again(client, database.to)
        assert database.digests() == await truth(client, None)
