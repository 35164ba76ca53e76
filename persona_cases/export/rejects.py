"""`Rejects`: the file next to an export that holds undecodable cases."""

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
"""The suffix of the file's name, after the name of the export."""


class Rejects:
    """The cases that were set aside, one per line as the API sent them, in `<name>.rejected.jsonl` next to the export.

    The file appears when it is complete, and replaces the file of an earlier export. Without such cases, there is no
    file.

    Args:
        output: the exported file.

    Attributes:
        count: number of cases.
        path: the path of the file.
        within: the directory in which it grows, on the same disk; None for the directory of the export.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self._output = Path(os.fsdecode(output))
        self.path: Path = self._output.with_name(self._output.name + REJECTED)
        self.count: int = 0
        self.within: Path | None = None
        self._file: AtomicFile | None = None

    def add(self, line: bytes) -> None:
        """Add a case, on one line without the line break."""
        if self._file is None:
            self._file, self.count = AtomicFile(self.path, within=self.within), 0
            self._hide_as_output()
        self._file.write(line + b"\n")
        self.count += 1

    def keep_since(self, moment: datetime) -> None:
        """Keep a file that an earlier run of the same export completed, unless this run has cases for a new one.

        Args:
            moment: when the first run began.
        """
        with contextlib.suppress(FileNotFoundError):
            if self._file is None and self.path.stat().st_mtime >= moment.timestamp():
                self.count = self.path.read_bytes().count(b"\n")

    def commit(self) -> None:
        """Make the file visible, or remove the file of an earlier export if there are no cases."""
        if self._file is not None:
            self._file.commit()
        elif not self.count:
            self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the temporary file; it has no effect after `commit`."""
        if self._file is not None:
            self._file.discard()

    def _hide_as_output(self) -> None:
        # The file gets the permissions of the export.
        if self._file is not None and self._output.exists() and not self.path.exists():
            set_mode(self._file.part, stat.S_IMODE(self._output.stat().st_mode) & 0o777)
