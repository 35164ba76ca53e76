"""The same with this library, from the list. Run by `export.py`."""

from __future__ import annotations

import asyncio
import sys

from persona_cases import PersonaClient


async def main(base_url: str, output: str) -> None:
    async with PersonaClient("key", base_url=base_url) as persona:
        done = await persona.cases.export(to=output, consistency="fresh")
    print(f"           {done.to_dict()}", file=sys.stderr)


asyncio.run(main(*sys.argv[1:]))
