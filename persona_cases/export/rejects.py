"""`Rejects`: the file beside an export that holds the cases which could not be decoded."""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.disk import set_mode

__all__ = ["REJECTED", "Rejects"]

REJECTED: Final = ".rejected.jsonl"
"""What the name of the file ends with, after that of the export."""


class Rejects:
    """The cases that were set aside, a line each as the API sent them, in `<name>.rejected.jsonl` beside the export.

    The file appears when it is complete, and replaces that of an earlier export; without any such case, there is none.

    Args:
        output: the file that is exported.

    Attributes:
        count: how many cases there are.
        path: the file.
        within: the directory in which it grows, on the same disk; None for that of the export.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self._output = Path(os.fsdecode(output))
        self.path: Path = self._output.with_name(self._output.name + REJECTED)
        self.count: int = 0
        self.within: Path | None = None
        self._file: AtomicFile | None = None

    def add(self, line: bytes) -> None:
        """Take a case, on one line without its end."""
        if self._file is None:
            self._file, self.count = AtomicFile(self.path, within=self.within), 0
            self._hide_as_output()
        self._file.write(line + b"\n")
        self.count += 1

    def keep_since(self, moment: datetime) -> None:
        """Keep a file that an earlier run of the same export completed, unless there is something for a new one.

        Args:
            moment: when the first run began.
        """
        with contextlib.suppress(FileNotFoundError):
            if self._file is None and self.path.stat().st_mtime >= moment.timestamp():
                self.count = self.path.read_bytes().count(b"\n")

    def commit(self) -> None:
        """Make the file visible, or remove that of an earlier export if there is nothing to be in it."""
        if self._file is not None:
            self._file.commit()
        elif not self.count:
            self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        if self._file is not None:
            self._file.discard()

    def _hide_as_output(self) -> None:
        # Whoever may not read the export may not read this either.
        if self._file is not None and self._output.exists() and not self.path.exists():
            set_mode(self._file.part, stat.S_IMODE(self._output.stat().st_mode) & 0o777)
