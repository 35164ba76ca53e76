"""What a request may not leave behind, however it ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from persona_cases import PersonaClient

__all__ = ["in_flight", "nothing_left", "until", "works"]

_PATIENCE = 20.0
_DESCRIPTORS = Path("/proc/self/fd")


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that is about to happen."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Check at the end that there are no tasks and no open files but those of the beginning."""
    reported: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context))
    tasks, files = asyncio.all_tasks(), _open_files()
    # What was there before need not be looked through for garbage, which would take most of the test's time.
    gc.freeze()
    try:
        # A connection that was not given back shows in a call that waits for it.
        async with asyncio.timeout(_PATIENCE):
            yield
        # Resources that were forgotten warn when they are collected, and warnings are errors.
        gc.collect()
    finally:
        gc.unfreeze()
    await until(lambda: asyncio.all_tasks() <= tasks and _open_files() <= files)
    loop.set_exception_handler(None)
    assert not reported


async def works(client: PersonaClient) -> None:
    """Check that the only connection and the only permit are there for the next request."""
    assert in_flight(client) == 0
    async with asyncio.timeout(_PATIENCE):
        await client.with_options(timeout=_PATIENCE).rate_limits()
    assert in_flight(client) == 0


def in_flight(client: PersonaClient) -> int:
    """How many requests the client's limiters believe to be under way."""
    return client.limiter.state.in_flight + client.creation_limiter.state.in_flight


def _open_files() -> int:
    return len(list(_DESCRIPTORS.iterdir())) if _DESCRIPTORS.exists() else 0
