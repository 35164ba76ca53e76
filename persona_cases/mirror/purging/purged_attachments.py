"""Erasure of downloaded files of redacted cases."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import ClassVar

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.attachments.directory import FileDirectory
from persona_cases.export.spool.disk import is_real_directory
from persona_cases.mirror.purging.redacted_rows import Holding

__all__ = ["PurgedAttachments"]


@attrs.frozen
class PurgedAttachments:
    """A directory to which exports downloaded attached files, with one subdirectory per case.

    Attributes:
        path: the directory.
        is_there: True.

    Raises:
        InvalidArgumentError: if there is no directory.
    """

    path: Path
    is_there: ClassVar[bool] = True

    def __attrs_post_init__(self) -> None:
        if not self.path.is_dir():
            raise InvalidArgumentError(f"there is no directory at {self.path}: give the one of export --attachments")

    def settle(self) -> dict[Path, str]:
        """Remove the incomplete files of exports that were killed.

        Raises:
            ClientStateError: if an export is downloading to the directory.
        """
        directory = FileDirectory(self.path)
        directory.open()
        directory.close()
        return {}

    def find(self, redacted: AbstractSet[str]) -> Holding:
        """Return the cases that have files in the directory."""
        named = (each for each in self.path.iterdir() if each.name in redacted)
        return Holding(frozenset(each.name for each in named if is_real_directory(each.lstat())))

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Delete all files of these cases, and return how many cases had some.

        A link is deleted, but its target stays.
        """
        for id in redacted:
            shutil.rmtree(self.path / id)
        return len(redacted)
