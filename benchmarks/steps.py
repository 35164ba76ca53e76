"""The steps of Python that a call takes, room by room: a measure that no load on the machine changes."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

ROOMS = {
    "window model": r"/persona_cases/protocol/window",
    "limiter and bucket": r"/persona_cases/transport/(limits|home_loop)|aiolimiter",
    "reading the headers": r"/persona_cases/protocol/(limit_headers|headers)",
    "one request over the session": r"/persona_cases/(transport/(session|network|connection_failures)"
    r"|protocol/(addresses|secret))",
    "attempts, tracking, outcome": r"/persona_cases/(transport/|protocol/(retry|outcome|events)|resources/endpoint)",
    "typed decoding": r"/persona_cases/models/",
    "arguments and values": r"/persona_cases/",
}
OTHERS = "aiohttp, asyncio and the rest"


async def count(send: Callable[[int], Awaitable[object]], requests: int) -> tuple[dict[str, float], float]:
    """Count what one call takes.

    Args:
        send: makes as many calls.
        requests: how many calls to make.

    Returns:
        Bytecodes per call by room, and Python functions entered per call.
    """
    with traced() as (bytecodes, entered):
        await send(requests)
    rooms = by_room(bytecodes, ROOMS)
    return {room: rooms[room] / requests for room in (*ROOMS, OTHERS) if rooms[room]}, entered.total() / requests


@contextmanager
def traced() -> Generator[tuple[Counter[CodeType], Counter[CodeType]]]:
    """Count the bytecodes of each function, and how often it is entered, within the block.

    Frames that are open already, those of the event loop for example, are not counted.
    """
    bytecodes, entered = Counter[CodeType](), Counter[CodeType]()

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        bytecodes[frame.f_code] += event == "opcode"
        return inside

    def enter(frame: FrameType, _event: str, _: Any) -> Any:
        entered[frame.f_code] += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return inside

    sys.settrace(enter)
    try:
        yield bytecodes, entered
    finally:
        sys.settrace(None)


def by_room(bytecodes: Counter[CodeType], rooms: dict[str, str]) -> Counter[str]:
    """Return the bytecodes of each room, and of all others.

    Args:
        bytecodes: those of each function.
        rooms: the pattern of the places of each room; the first one that matches counts.
    """
    found = Counter[str]()
    for code, times in bytecodes.items():
        # attrs names its methods after the class: <attrs generated methods persona_cases.protocol.window.RateWindow>.
        name = code.co_filename
        place = "/" + name.split()[-1].replace(".", "/") if "<attrs" in name else name
        found[next((room for room, pattern in rooms.items() if re.search(pattern, place)), OTHERS)] += times
    return found
