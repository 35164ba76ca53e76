"""The same with what an export that can be gone on with can not do without. Run by `export.py`.

Cases go to a log that is made durable once a second, and from there to the file; the library is imported and not used.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import aiohttp
import msgspec

import persona_cases  # noqa: F401 - what it costs to have it


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
    log, durable = Path(f"{output}.log"), time.monotonic()
    with log.open("w+b", buffering=0) as file:  # noqa: ASYNC230 - as one would write it
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.post(url, json=body, params=params) as answer:
                    page = decode(await answer.read())
                file.write(b"\n".join([*page.data, b""]))
                if time.monotonic() - durable > 1:
                    os.fdatasync(file.fileno())
                    durable = time.monotonic()
                if page.links.next is None:
                    break
                params["page[after]"] = msgspec.json.decode(page.data[-1], type=Case).id
        file.seek(0)
        with Path(output).open("wb", buffering=0) as whole:  # noqa: ASYNC230
            while piece := file.read(1 << 18):
                whole.write(piece)
            os.fsync(whole.fileno())
    log.unlink()  # noqa: ASYNC240


asyncio.run(main(*sys.argv[1:]))
