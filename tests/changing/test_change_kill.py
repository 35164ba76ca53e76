"""Killed at any moment among faults and run again, every change is made once; comments at most once, and it is said."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

from changing.changing import KINDS, pairs_of
from persona_cases.changes import AddComment
from persona_cases.testing import Fault, Simulator

PROGRAM = Path(__file__).with_name("changing.py")
CHANGES = int(os.environ.get("PERSONA_CASES_CHANGES", "120"))
KILLS = int(os.environ.get("PERSONA_CASES_CHANGE_KILLS", "3"))
FAULTS = (
    Fault.status(503),
    Fault.status(503, applied=True),
    Fault.status(500, applied=True, stored=True),
    Fault.status(500, stored=True),
    Fault.drop(),
    Fault.drop(applied=True),
    Fault.torn(),
    Fault.html(),
)
SHARE = 0.2


def counting_writes(sim: Simulator) -> Counter[str]:
    """Count how often each case is changed for good: a replay of an idempotency key changes nothing."""
    made: Counter[str] = Counter()
    act = sim.store.update_case

    def counted(case_id, **changes):
        made[case_id] += 1
        return act(case_id, **changes)

    sim.store.update_case = counted
    return made


async def run(sim, journal, ids, kill_after=None):
    """Run the program; return what it printed, or None if it was killed before."""
    sim.requests.clear()
    command = [sys.executable, str(PROGRAM), sim.base_url, sim.api_key, str(journal), str(ids)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    ending = asyncio.ensure_future(process.communicate())
    while kill_after is not None and not ending.done() and len(sim.requests) < kill_after:
        await asyncio.sleep(0.001)
    if kill_after is not None and not ending.done():
        process.kill()
    printed, _ = await ending
    assert process.returncode in {0, -9}
    return json.loads(printed) if process.returncode == 0 else None


async def test_every_change_is_made_once(tmp_path):
    seed = int(os.environ.get("PERSONA_CASES_SEED", random.randrange(2**32)))
    print(f"PERSONA_CASES_SEED={seed}")  # noqa: T201 - shown if the test fails
    draw, journal, listed = random.Random(seed), tmp_path / "x.journal", tmp_path / "ids.json"
    async with Simulator(cases=0, seed=seed) as sim:
        ids = [sim.store.create_case("KYC", status="open").id for _ in range(CHANGES)]
        listed.write_text(json.dumps(ids))
        made = counting_writes(sim)
        for number, fault in enumerate(FAULTS):
            # Together they happen to a fifth of all requests.
            sim.faults.add(fault, probability=SHARE / len(FAULTS) / (1 - SHARE / len(FAULTS) * number))
        kills, requests, per_run = 0, 0, 2 * CHANGES // (KILLS + 1)
        while kills < KILLS and await run(sim, journal, listed, draw.randint(per_run // 3, per_run)) is None:
            kills, requests = kills + 1, requests + len(sim.requests)
        outcomes: list[str] = ["failed"]
        while "failed" in outcomes:
            # What failed because of the faults is tried again; what is done is not.
            outcomes, requests = await run(sim, journal, listed), requests + len(sim.requests)
        cases = {case_id: sim.store.cases[case_id] for case_id in ids}
    told = dict(zip(ids, outcomes, strict=True))
    comments = {case_id for case_id, change in pairs_of(ids) if isinstance(change, AddComment)}
    in_doubt = {case_id for case_id in ids if told[case_id] == "indeterminate"}
    shown = f"{CHANGES} changes, {kills} kills, {requests} requests, {dict(Counter(outcomes))}"
    print(shown)  # noqa: T201 - the evidence
    assert kills == KILLS
    assert in_doubt <= comments
    assert {told[case_id] for case_id in ids if case_id not in in_doubt} == {"changed"}
    assert {made[case_id] for case_id in ids if case_id not in in_doubt} == {1}
    assert {made[case_id] for case_id in in_doubt} <= {0, 1}
    for case_id, case in cases.items():
        match KINDS[ids.index(case_id) % len(KINDS)]:
            case AddComment():
                assert len(case.comments) == made[case_id]
            case _:
                assert (case.status == "escalated") + (case.tags != ()) + bool(case.assignee_id) + bool(
                    case.fields.get("risk_score")
                ) == 1
