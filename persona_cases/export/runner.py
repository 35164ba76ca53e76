"""Walking pages into a sink."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Protocol

import attrs


class Exportable(Protocol):
    """What can be written as a line of JSON."""

    @property
    def raw_line(self) -> bytes:
        """The JSON document on one line, without the line feed."""
        ...


class ByteSink(Protocol):
    """What bytes can be written to; the whole of each call or nothing of it."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""
        ...


@attrs.frozen(kw_only=True)
class ExportProgress:
    """How far an export has come.

    Attributes:
        cases: cases written.
        pages: pages fetched.
        size: bytes written.
    """

    cases: int = 0
    pages: int = 0
    size: int = 0


OnProgress = Callable[[ExportProgress], object]
"""Called after each page."""


async def write_json_lines(
    pages: AsyncIterable[Iterable[Exportable]], sink: ByteSink, on_progress: OnProgress | None = None
) -> ExportProgress:
    """Write every item of every page as one line of JSON, exactly as the API sent it.

    Each page is written in one piece off the event loop, so that neither the loop nor a line is ever left half done.

    Args:
        pages: the pages to write.
        sink: where to write to.
        on_progress: called after each page.

    Returns:
        What was written.
    """
    progress = ExportProgress()
    async for page in pages:
        lines = [item.raw_line for item in page]
        block = b"".join(line + b"\n" for line in lines)
        await asyncio.to_thread(sink.write, block)
        progress = ExportProgress(
            cases=progress.cases + len(lines), pages=progress.pages + 1, size=progress.size + len(block)
        )
        if on_progress is not None:
            on_progress(progress)
    return progress
