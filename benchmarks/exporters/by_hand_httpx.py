"""The same with httpx and json. Run by `export.py`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx


async def main(base_url: str, output: str) -> None:
    body = {"sort": {"attribute": "created_at", "direction": "asc"}}
    headers = {"Authorization": "Bearer key", "Key-Inflection": "snake", "Persona-Version": "2025-12-08"}
    url, params = f"{base_url}/cases/search", {"page[size]": "100"}
    async with httpx.AsyncClient(headers=headers) as client:
        with Path(output).open("w", encoding="utf-8") as file:  # noqa: ASYNC230 - as one would write it
            while True:
                answer = await client.post(url, json=body, params=params)
                answer.raise_for_status()
                page = answer.json()
                file.writelines(json.dumps(case) + "\n" for case in page["data"])
                if page["links"]["next"] is None:
                    return
                params["page[after]"] = page["data"][-1]["id"]


asyncio.run(main(*sys.argv[1:]))
