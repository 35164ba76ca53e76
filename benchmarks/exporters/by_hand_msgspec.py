"""The least that such a loop can do: cases are found on a page and copied, and never looked at. Run by `export.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import msgspec


class Links(msgspec.Struct):
    next: str | None


class Page(msgspec.Struct):
    data: list[msgspec.Raw]
    links: Links


class Case(msgspec.Struct):
    id: str


async def main(base_url: str, output: str) -> None:
    body = {"sort": {"attribute": "created_at", "direction": "asc"}}
    headers = {"Authorization": "Bearer key", "Key-Inflection": "snake", "Persona-Version": "2025-12-08"}
    url, params = f"{base_url}/cases/search", {"page[size]": "100"}
    decode = msgspec.json.Decoder(Page).decode
    async with aiohttp.ClientSession(headers=headers) as session:
        with Path(output).open("wb", buffering=0) as file:  # noqa: ASYNC230 - as one would write it
            while True:
                async with session.post(url, json=body, params=params) as answer:
                    page = decode(await answer.read())
                file.write(b"\n".join([*page.data, b""]))
                if page.links.next is None:
                    return
                params["page[after]"] = msgspec.json.decode(page.data[-1], type=Case).id


asyncio.run(main(*sys.argv[1:]))
