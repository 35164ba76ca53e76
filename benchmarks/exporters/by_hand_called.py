"""The same as `by_hand_checked.py`, but each request is a call of this library. Run by `export.py`.

So it also has what a call has: the rate limit, retries, timeouts and errors. It has one fetcher, and cannot resume.
"""

from __future__ import annotations

import asyncio
import sys

from by_hand_checked import OLDEST_FIRST, export

from persona_cases import PersonaClient, Safety


async def main(base_url: str, output: str) -> None:
    async with PersonaClient("key", base_url=base_url) as persona:

        async def fetch(params: dict[str, str]) -> bytes:
            asked = persona.request("POST", "/cases/search", params=params, json=OLDEST_FIRST, safety=Safety.READ)
            return (await asked).body

        await export(output, fetch)


asyncio.run(main(*sys.argv[1:]))
