"""`AppendedFiles`: the files that grow with each page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from persona_cases.export.ranges.fetcher_count import MOST_FETCHERS
from persona_cases.export.spool.disk import open_private, write_whole

# One for each fetcher.
_MOST_OPEN: Final = MOST_FETCHERS


class AppendedFiles:
    """Private files of one directory that are appended to. The latest ones stay open between two pages.

    Opening and closing a file takes longer than writing a page to it. What was appended survives this process. Close
    them before they are renamed or deleted, because Windows refuses that for open files.

    Args:
        directory: the directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # The latest is the last.
        self._open: dict[str, io.FileIO] = {}

    def append(self, name: str, data: bytes) -> None:
        """Append to a file, creating it if necessary."""
        file = self._open.pop(name, None)
        if file is None:
            if len(self._open) == _MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            file = open_private(self._directory / name, "a")
        self._open[name] = file
        write_whole(file.fileno(), memoryview(data))

    def close(self) -> None:
        """Close all files. They are opened again when something is appended."""
        while self._open:
            self._open.popitem()[1].close()
