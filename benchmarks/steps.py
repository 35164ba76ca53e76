"""The steps of Python that a call takes, room by room: a measure that no load on the machine changes."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from types import CodeType, FrameType
from typing import Any

ROOMS = {
    "window model": r"/protocol/window",
    "limiter and bucket": r"/transport/(limits|home_loop)|aiolimiter",
    "reading the headers": r"/protocol/(limit_headers|headers)",
    "one request over the session": r"/transport/(session|network|connection_failures)|/protocol/(addresses|secret)",
    "attempts, tracking, outcome": r"/transport/|/protocol/(retry|outcome|events)|/resources/endpoint",
    "typed decoding": r"/persona_cases/models/",
    "arguments and values": r"/persona_cases/",
}
OTHERS = "aiohttp, asyncio and the rest"


async def count(get: Callable[[], Awaitable[object]], requests: int) -> tuple[dict[str, float], float]:
    """Count what one call takes.

    Args:
        get: makes a call.
        requests: how many calls to make, one after the other.

    Returns:
        Bytecodes per call by room, and Python functions entered per call.
    """
    bytecodes, entered = Counter[CodeType](), 0

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        bytecodes[frame.f_code] += event == "opcode"
        return inside

    def enter(frame: FrameType, _event: str, _: Any) -> Any:
        nonlocal entered
        entered += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return inside

    # Frames that are open already, this one and those of the event loop, are not traced.
    sys.settrace(enter)
    try:
        for _ in range(requests):
            await get()
    finally:
        sys.settrace(None)
    rooms = Counter[str]()
    for code, times in bytecodes.items():
        rooms[_room_of(code)] += times
    return {room: rooms[room] / requests for room in (*ROOMS, OTHERS) if rooms[room]}, entered / requests


def _room_of(code: CodeType) -> str:
    # attrs names its methods after the class: <attrs generated methods persona_cases.protocol.window.RateWindow>.
    place = "/" + code.co_filename.split()[-1].replace(".", "/") if "<attrs" in code.co_filename else code.co_filename
    return next((room for room, pattern in ROOMS.items() if _is_ours(place) and re.search(pattern, place)), OTHERS)


def _is_ours(place: str) -> bool:
    return "/persona_cases/" in place or "aiolimiter" in place
