"""After the sync that follows the lag, the mirror is as the API is, whatever happened before.

`PERSONA_CASES_MIRROR_SCRIPTS=500` runs as many scripts.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from crashing import CrashError, CrashingMirror
from mirrored_world import LAGS, OVERLAP, JumpyClock, World, mirrored, on_disk, queries, rows, truth

from persona_cases import PersonaError, RetryPolicy
from persona_cases.testing import Simulator

SCRIPTS = int(os.environ.get("PERSONA_CASES_MIRROR_SCRIPTS", "6"))


@pytest.mark.parametrize("seed", range(SCRIPTS))
async def test_a_mirror_is_as_the_api_is(seed, tmp_path):
    random, path, clock = Random(seed), tmp_path / "cases.db", JumpyClock()
    lag = random.choice(LAGS)
    settings = {"retry": RetryPolicy(attempts=3, base=0)}
    async with Simulator(cases=130, seed=seed, clock=clock, index_lag=lag) as sim, sim.client(**settings) as client:
        where = random.choice(queries(sim))
        sync = {"overlap": OVERLAP, "history": random.random() < 0.5}
        world, redacted_late = World(sim, clock, random), 0
        for _ in range(random.randint(3, 7)):
            for _ in range(random.randint(1, 6)):
                world.step()
            to = (
                path
                if random.random() < 0.5
                else CrashingMirror(path, random.randint(1, 8), late=random.random() < 0.5)
            )
            known = random.sample(list(sim.store.cases), random.choice([0, 0, 3]))
            try:
                await client.cases.sync(where, to=to, dirty=known, reconcile=random.random() < 0.15, **sync)
            except (PersonaError, CrashError):
                redacted_late += 1
        clock.advance(lag + 1)
        sim.faults.clear()
        await client.cases.sync(where, to=path, reconcile=world.jumped, **sync)
        expected = await truth(client, where)
        assert mirrored(path) == expected
        secrets = on_disk(path)
        assert not [text for text in world.erased if text.encode() in secrets]
        for table, column in (("fields", "case_id"), ("relationships", "case_id")):
            assert {id for (id,) in rows(path, f"SELECT {column} FROM {table}")} <= expected.keys()
        again = await client.cases.sync(where, to=path, **sync)
        assert on_disk(path) == secrets
        assert (again.added, again.updated, again.redacted, again.departed) == (0, 0, 0, 0)
