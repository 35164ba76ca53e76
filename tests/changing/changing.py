"""Makes a change of each kind in many cases, with a journal; prints the outcomes. Killed and run again by a test."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from persona_cases import PersonaClient, RetryPolicy
from persona_cases.changes import AddComment, AddTag, Assign, Change, SetStatus, SetTags, Update
from persona_cases.limits import LocalLimiter

USER = "maya.okafor@example.com"
KINDS: tuple[Change, ...] = (
    SetStatus("escalated"),
    AddTag("reviewed"),
    Assign(USER),
    Update(fields={"priority": "high", "risk_score": 7}, case_queue_id=None),
    SetTags(["eu", "vip"]),
    AddComment("Looks fine."),
)


def pairs_of(ids: list[str]) -> list[tuple[str, Change]]:
    return [(case_id, KINDS[number % len(KINDS)]) for number, case_id in enumerate(ids)]


async def main(base_url: str, key: str, journal: str, ids: str) -> None:
    pairs = pairs_of(json.loads(Path(ids).read_text(encoding="utf-8")))
    settings: dict[str, Any] = {"retry": RetryPolicy(base=0), "limiter": LocalLimiter(100_000)}
    async with PersonaClient(key, base_url=base_url, **settings) as persona:
        report = await persona.cases.change_each(pairs, journal=journal, retry_failed=True)
    sys.stdout.write(json.dumps([row.outcome for row in report.rows]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
