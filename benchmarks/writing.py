"""What it costs to append pages to a file: in pieces of different sizes, at once or from another thread.

Each figure is processor time for 2,000 pages of 178 kB, as many as 200,000 cases come on; the least and the most of
several rounds. The rounds use the same memory again. What is new to the system costs more, whatever the size of the
pieces, and the larger these are, the sooner.

Run: python benchmarks/writing.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

PAGES, PAGE = 2_000, 178_000
TOGETHER = 40
ROUNDS = 5
SIZES = {"64 KiB": 1 << 16, "128 KiB": 1 << 17, "256 KiB": 1 << 18, "512 KiB": 1 << 19, "1 MiB": 1 << 20}


def append(file: int, data: bytes, size: int) -> None:
    """Write bytes in pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest[:size]) :]


async def in_pieces(file: int, size: int) -> None:
    """Append so many pages at a time as commits of forty fetchers do."""
    pages = os.urandom(PAGE) * TOGETHER
    for _ in range(PAGES // TOGETHER):
        append(file, pages, size)


async def at_once(file: int) -> None:
    """Append page by page, and let the event loop turn in between."""
    page = os.urandom(PAGE)
    for _ in range(PAGES):
        append(file, page, SIZES["256 KiB"])
        await asyncio.sleep(0.0002)


async def by_thread(file: int) -> None:
    """The same from a thread of the event loop's."""
    page, loop = os.urandom(PAGE), asyncio.get_running_loop()
    for _ in range(PAGES):
        written = loop.run_in_executor(None, append, file, page, SIZES["256 KiB"])
        await asyncio.sleep(0.0002)
        await written


def measure(write: Callable[[int], Coroutine[None, None, None]], directory: Path) -> tuple[float, float]:
    """Return the least and the most seconds of processor time."""
    took = list[float]()
    for _ in range(ROUNDS):
        path = directory / "pages"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        started = time.process_time()
        asyncio.run(write(file))
        took.append(time.process_time() - started)
        os.close(file)
        path.unlink()
    return min(took), max(took)


def main() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    with tempfile.TemporaryDirectory() as directory:
        for name, size in SIZES.items():
            least, most = measure(partial(in_pieces, size=size), Path(directory))
            print(f"{TOGETHER} pages in pieces of {name:>7}: {least:.2f} to {most:.2f} s")
        for each in (at_once, by_thread):
            least, most = measure(each, Path(directory))
            print(f"page by page, {each.__name__:>9}: {least:.2f} to {most:.2f} s")


if __name__ == "__main__":
    main()
