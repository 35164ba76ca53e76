"""`CheckpointFile`: the file with the checkpoints of an export, in sequence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from persona_cases.export.spool.checkpoint import Checkpoint, Description, decode_checkpoints
from persona_cases.export.spool.disk import AppendedFiles, make_durable, make_names_durable, refuse_link, write_private

_NAME: Final = "checkpoint.jsonl"


class CheckpointFile:
    """The file of checkpoints. Each run starts a new file, and appends to it.

    Args:
        directory: the directory of the file.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        self._files = AppendedFiles(directory, most=1)
        self._begun = False

    @property
    def exists(self) -> bool:
        """Return whether the file exists, so that there is an export to resume."""
        return os.path.lexists(self._path)

    def write(self, entry: bytes, *, durable: bool) -> None:
        """Write an entry. The first entry of a run replaces all earlier ones, and is durable."""
        if self._begun:
            self._files.append(_NAME, entry)
            if durable:
                make_durable(self._path)
            return
        draft = self._path.with_suffix(".new")
        write_private(draft, entry)
        draft.replace(self._path)
        make_names_durable(self._path.parent)
        self._begun = True

    def read(self) -> tuple[Description, list[Checkpoint]] | None:
        """Return the description of the export, and the candidate checkpoints; see `decode_checkpoints`.

        Raises:
            InvalidArgumentError: if its path is not a regular file but, say, a link.
        """
        refuse_link(self._path)
        return decode_checkpoints(self._path.read_bytes())

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def remove(self) -> None:
        """Invalidate all checkpoints."""
        self.close()
        self._path.unlink(missing_ok=True)
