"""`CheckpointFile`: the checkpoints of an export on the disk, one after the other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from persona_cases.export.spool.checkpoint import Checkpoint, Description, decode_checkpoints
from persona_cases.export.spool.disk import append_private, make_durable, make_names_durable, refuse_link, write_private

_NAME: Final = "checkpoint.jsonl"


class CheckpointFile:
    """The file of checkpoints; each run begins it again, and appends to it.

    Args:
        directory: where it is.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        self._begun = False

    @property
    def exists(self) -> bool:
        """Whether there is one, so that there is something to resume."""
        return os.path.lexists(self._path)

    def write(self, entry: bytes, *, durable: bool) -> None:
        """Write an entry; the first one of a run takes the place of all before it, and is durable."""
        if self._begun:
            append_private(self._path, entry)
            if durable:
                make_durable(self._path)
            return
        draft = self._path.with_suffix(".new")
        write_private(draft, entry)
        draft.replace(self._path)
        make_names_durable(self._path.parent)
        self._begun = True

    def read(self) -> tuple[Description, list[Checkpoint]] | None:
        """Return what the export is one of, and the checkpoints that may count; see `decode_checkpoints`.

        Raises:
            InvalidArgumentError: if something else has its name, such as a link.
        """
        refuse_link(self._path)
        return decode_checkpoints(self._path.read_bytes())

    def remove(self) -> None:
        """Let nothing count any more."""
        self._path.unlink(missing_ok=True)
