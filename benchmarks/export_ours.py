"""The same with this library: ranges side by side, and a checkpoint on the disk. Run by `export.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from persona_cases import PersonaClient
from persona_cases.export.checkpoint import Description
from persona_cases.export.collector import collect
from persona_cases.export.spool import Spool
from persona_cases.resources.slices import CaseSlices


def put_together(spool: Spool, output: str) -> None:
    with Path(output).open("wb", buffering=0) as file:
        spool.copy_to(file.fileno())
    spool.remove()


async def main(base_url: str, output: str) -> None:
    async with PersonaClient("key", base_url=base_url) as persona:
        source = CaseSlices(persona._api, max_searches=16)
        with Spool(output, Description({"where": None}, "benchmark")) as spool:
            report = await collect(source, spool, limit=lambda: persona.limiter.state)
            await asyncio.to_thread(put_together, spool, output)
    print(f"           {report}", file=sys.stderr)


asyncio.run(main(*sys.argv[1:]))
