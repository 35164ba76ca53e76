"""No export, but a loop over typed cases that reads two attributes of each. Run by `export.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from persona_cases import PersonaClient, Q


async def main(base_url: str, output: str) -> None:
    count, newest = 0, ""
    async with PersonaClient("key", base_url=base_url) as persona:
        async for case in persona.cases.search(sort=Q.created_at.asc()):
            if case.created_at is not None:
                count, newest = count + 1, case.id
    Path(output).write_text(f"{count} {newest}", encoding="ascii")  # noqa: ASYNC240 - nothing else is going on


asyncio.run(main(*sys.argv[1:]))
