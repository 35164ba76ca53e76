"""After the sync that follows the lag, the mirror is as the API is, whatever happened before.

`PERSONA_CASES_MIRROR_SCRIPTS=500` runs as many scripts per database.
"""

from __future__ import annotations

import contextlib
import os
from random import Random

import pytest
from crashing import CrashError, CrashingMirror
from databases import KINDS
from mirrored_world import LAGS, OVERLAP, JumpyClock, Poison, World, queries, truth

from persona_cases import RetryPolicy, ServerError, TransportError
from persona_cases.testing import Simulator

SCRIPTS = os.environ.get("PERSONA_CASES_MIRROR_SCRIPTS")
# SQLite is the quickest, and what is told by whichever database is the same.
FEW = {"sqlite": 6, "duckdb": 1, "postgres": 1}


@pytest.mark.parametrize(
    ("database", "seed"),
    [(kind, seed) for kind in KINDS for seed in range(FEW[kind] if SCRIPTS is None else int(SCRIPTS))],
    indirect=["database"],
)
async def test_a_mirror_is_as_the_api_is(database, seed):
    random, clock = Random(seed), JumpyClock()
    lag = random.choice(LAGS)
    simulator, poison = Simulator(cases=130, seed=seed, clock=clock, index_lag=lag), Poison()
    settings = {"retry": RetryPolicy(attempts=3, base=0), "middleware": [poison]}
    async with simulator as sim, sim.client(**settings) as client:
        where = random.choice(queries(sim))
        sync = {"overlap": OVERLAP, "history": random.random() < 0.5, "undecodable": "set_aside"}
        world = World(sim, clock, random)
        for _ in range(random.randint(3, 7)):
            for _ in range(random.randint(1, 6)):
                world.step()
            to = database.to
            if random.random() < 0.5:
                to = CrashingMirror(to, random.randint(1, 8), late=random.random() < 0.5)
            known = random.sample(list(sim.store.cases), random.choice([0, 0, 3]))
            with contextlib.suppress(ServerError, TransportError, CrashError):
                await client.cases.sync(where, to=to, dirty=known, reconcile=random.random() < 0.15, **sync)
        clock.advance(lag + 1)
        sim.faults.clear()
        await client.cases.sync(where, to=database.to, reconcile="full" if world.jumped else False, **sync)
        with poison.paused():
            expected = await truth(client, where)
        bad, rejected = world.poisoned(), {id for (id,) in database.rows("SELECT case_id FROM rejected")}
        # Nobody can tell whether one that cannot be decoded matches, unless searches do.
        assert bad & expected.keys() <= rejected <= bad
        assert database.digests() == {id: digest for id, digest in expected.items() if id not in bad}
        content = database.content()
        assert not [text for text in world.erased if text.encode() in content]
        for table in ("fields", "relationships"):
            assert {id for (id,) in database.rows(f"SELECT case_id FROM {table}")} <= expected.keys()
        again = await client.cases.sync(where, to=database.to, **sync)
        assert database.content() == content
        assert (again.added, again.updated, again.redacted, again.departed) == (0, 0, 0, 0)
        assert again.rejected == len(rejected)
