"""The least that an export with our guarantees can do: the loop that copies bytes, and what survives a kill.

Each page is appended under a checksum, and a checkpoint after it has the cursor, the size and the checksum. Once a
second both are made durable. At the end all of it is read and checked again. There is no rate limit, no retry, no
timeout, no lock, no second fetcher and no resume in it. Run by `export.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec


class Links(msgspec.Struct):
    next: str | None


class Page(msgspec.Struct):
    data: list[msgspec.Raw]
    links: Links


class Attributes(msgspec.Struct):
    created_at: str


class Case(msgspec.Struct):
    id: str
    attributes: Attributes


decode_page = msgspec.json.Decoder(Page).decode
decode_case = msgspec.json.Decoder(Case).decode
BYTES_AT_ONCE = 1 << 18
OLDEST_FIRST = {"sort": {"attribute": "created_at", "direction": "asc"}}


class Saved:
    """The lines on the disk, and a checkpoint for each page."""

    def __init__(self, output: str) -> None:
        self._output, self._part, self._checkpoints = output, f"{output}.part", f"{output}.checkpoints"
        self._lines = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._log = os.open(self._checkpoints, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = self._check = 0
        self._durable_at = time.monotonic()

    def append(self, lines: list[msgspec.Raw], cursor: str, last: Case) -> None:
        block = b"\n".join([*lines, b""])
        self._size, self._check = self._size + len(block), zlib.crc32(block, self._check)
        os.write(self._lines, block)
        entry = msgspec.json.encode((self._size, self._check, cursor, last.attributes.created_at))
        if durable := time.monotonic() - self._durable_at > 1.0:
            os.fdatasync(self._lines)
        os.write(self._log, b"%08x%b\n" % (zlib.crc32(entry), entry))
        if durable:
            os.fdatasync(self._log)
            self._durable_at = time.monotonic()

    def finish(self) -> None:
        buffer, check = memoryview(bytearray(BYTES_AT_ONCE)), 0
        with os.fdopen(self._lines, "rb", buffering=0) as file:
            file.seek(0)
            while there := file.readinto(buffer):
                check = zlib.crc32(buffer[:there], check)
            if check != self._check:
                raise SystemExit("what is on the disk is not what was written")
            os.fsync(file.fileno())
        Path(self._part).replace(self._output)
        os.close(self._log)
        Path(self._checkpoints).unlink()


async def export(output: str, fetch: Callable[[dict[str, str]], Awaitable[bytes]]) -> None:
    """Save all cases; `fetch` returns the body of the page with these parameters."""
    saved, latest, params = Saved(output), "", {"page[size]": "100"}
    while True:
        page = decode_page(await fetch(params))
        first, last = decode_case(page.data[0]), decode_case(page.data[-1])
        if not latest <= first.attributes.created_at <= last.attributes.created_at:
            raise SystemExit("the server returned cases out of creation order")
        latest = last.attributes.created_at
        saved.append(page.data, last.id, last)
        if page.links.next is None:
            break
        params["page[after]"] = last.id
    saved.finish()


async def main(base_url: str, output: str) -> None:
    headers = {"Authorization": "Bearer key", "Key-Inflection": "snake", "Persona-Version": "2025-12-08"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def fetch(params: dict[str, str]) -> bytes:
            async with session.post(f"{base_url}/cases/search", json=OLDEST_FIRST, params=params) as answer:
                answer.raise_for_status()
                return await answer.read()

        await export(output, fetch)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
