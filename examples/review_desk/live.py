"""Changes as they happen: from webhooks to every connected browser."""

import asyncio
import json
from collections.abc import AsyncGenerator

from .shown import Row

MOST_BEHIND = 100
"""Changes that may wait for a browser. A slower one is disconnected, and reconnects by itself."""

STILL_THERE = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection."""


class Broadcast:
    def __init__(self) -> None:
        self._listening: set[asyncio.Queue[bytes | None]] = set()

    def tell(self, row: Row, what: str) -> None:
        message = f"event: case\ndata: {json.dumps({'row': row.model_dump(), 'what': what})}\n\n".encode()
        for queue in tuple(self._listening):
            try:
                queue.put_nowait(message)
            except asyncio.QueueFull:
                self._leave(queue)

    async def listen(self) -> AsyncGenerator[bytes]:
        queue = asyncio.Queue[bytes | None](MOST_BEHIND)
        self._listening.add(queue)
        try:
            yield b"retry: 1000\n\n"
            while True:
                try:
                    async with asyncio.timeout(STILL_THERE):
                        message = await queue.get()
                except TimeoutError:
                    message = b": still there\n\n"
                if message is None:
                    return
                yield message
        finally:
            self._listening.discard(queue)

    def close(self) -> None:
        for queue in tuple(self._listening):
            self._leave(queue)

    def _leave(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._listening.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
