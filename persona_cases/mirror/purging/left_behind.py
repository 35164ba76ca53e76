"""Leftovers of interrupted exports and purges next to a file."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import ClassVar

import attrs

from persona_cases.export.spool.workplace import Workplace, directory_beside
from persona_cases.mirror.purging.redacted_rows import Holding

__all__ = ["ExportedFile", "MissingFile", "left_beside"]

_PROGRESS = (
    "the saved progress of an unfinished export holds cases: resume the export, or delete this directory, "
    "and purge again"
)
_PART = "a process that was killed left this file: delete it, unless an export is running"


def left_beside(path: Path) -> list[Path]:
    """Return the leftovers of interrupted exports next to a file, even if the file does not exist."""
    directory = directory_beside(path)
    parts = directory.parent.glob(f".{glob.escape(path.name)}.*.part")
    return [*([directory] if directory.is_dir() else []), *sorted(parts)]


@attrs.frozen
class ExportedFile:
    """A file to which exports write.

    Attributes:
        path: the file.
        is_there: whether the file exists, and not only leftovers of an interrupted export.
    """

    path: Path
    is_there: ClassVar[bool] = True

    def settle(self) -> dict[Path, str]:
        """Remove useless leftovers of interrupted exports next to the file.

        Returns:
            The leftovers that must stay, with the reasons.

        Raises:
            ClientStateError: if an export to the file is running.
            InvalidArgumentError: if the directory cannot be written.
        """
        if directory_beside(self.path).is_dir():
            with Workplace(self.path):
                # Locking the directory removes it at the end, unless it has saved progress.
                pass
        return {left: _PROGRESS if left.is_dir() else _PART for left in left_beside(self.path)}


@attrs.frozen
class MissingFile(ExportedFile):
    """A file that does not exist, but of which an interrupted export left something."""

    is_there: ClassVar[bool] = False

    def find(self, _: AbstractSet[str]) -> Holding:
        """Return that the file holds no cases."""
        return Holding(frozenset())

    def replace(self, _: Mapping[str, bytes]) -> int:
        """Change nothing."""
        return 0
