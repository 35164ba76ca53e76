"""Pages of cases as JSON Lines for a stream, for any framework."""

import json
from collections.abc import AsyncGenerator
from typing import Final

from persona_cases import Case, PersonaError
from persona_cases.paging import Page, Walk

__all__ = ["JSON_LINES", "lines_of"]

JSON_LINES: Final = "application/x-ndjson"


async def lines_of(first: Page[Case] | None, pages: Walk[Case], *, trailer: bool = True) -> AsyncGenerator[bytes]:
    """Yield the lines of each page and, after an error, the trailer.

    Args:
        first: the first page, which was fetched before the stream began; None if there is none.
        pages: the iteration that it came from.
        trailer: whether an error ends the stream with a line `{"error": ..., "cursor": ...}`. Otherwise it is raised.
    """
    page = first
    while page is not None:
        yield b"".join(case.raw_line + b"\n" for case in page)
        try:
            page = await anext(pages, None)
        except PersonaError as error:
            if not trailer:
                raise
            yield json.dumps({"error": type(error).__name__, "cursor": error.cursor}).encode() + b"\n"
            return
