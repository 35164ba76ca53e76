"""The export that one would write by hand: a loop over the cursor. Run by `export.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import orjson


async def main(base_url: str, output: str) -> None:
    body = {"sort": {"attribute": "created_at", "direction": "asc"}}
    headers = {"Authorization": "Bearer key", "Key-Inflection": "snake", "Persona-Version": "2025-12-08"}
    url, params = f"{base_url}/cases/search", {"page[size]": "100"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with Path(output).open("wb") as file:  # noqa: ASYNC230 - as one would write it
            while True:
                async with session.post(url, json=body, params=params) as answer:
                    answer.raise_for_status()
                    page = orjson.loads(await answer.read())
                file.writelines(orjson.dumps(case) + b"\n" for case in page["data"])
                if page["links"]["next"] is None:
                    return
                params["page[after]"] = page["data"][-1]["id"]


asyncio.run(main(*sys.argv[1:]))
