"""`CheckpointFile`: the file with the checkpoints of an export, in sequence."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Final

from persona_cases.export.spool.checkpoint import Checkpoint, Description, decode_checkpoints
from persona_cases.export.spool.disk import (
    make_durable,
    make_names_durable,
    open_private,
    refuse_link,
    write_private,
    write_whole,
)

_NAME: Final = "checkpoint.jsonl"


class CheckpointFile:
    """The file of checkpoints. Each run starts a new file, and appends to it.

    Args:
        directory: the directory of the file.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        # Open from the first entry of a run on, because opening it takes longer than writing an entry.
        self._file: io.FileIO | None = None

    @property
    def exists(self) -> bool:
        """Return whether the file exists, so that there is an export to resume."""
        return os.path.lexists(self._path)

    def write(self, entry: bytes, *, durable: bool) -> None:
        """Write an entry. The first entry of a run replaces all earlier ones, and is durable."""
        if self._file is None:
            draft = self._path.with_suffix(".new")
            write_private(draft, entry)
            draft.replace(self._path)
            make_names_durable(self._path.parent)
            self._file = open_private(self._path, "a")
            return
        write_whole(self._file.fileno(), memoryview(entry))
        if durable:
            make_durable(self._path)

    def read(self) -> tuple[Description, list[Checkpoint]] | None:
        """Return the description of the export, and the candidate checkpoints; see `decode_checkpoints`.

        Raises:
            InvalidArgumentError: if its path is not a regular file but, say, a link.
        """
        refuse_link(self._path)
        return decode_checkpoints(self._path.read_bytes())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def remove(self) -> None:
        """Invalidate all checkpoints."""
        self.close()
        self._path.unlink(missing_ok=True)
