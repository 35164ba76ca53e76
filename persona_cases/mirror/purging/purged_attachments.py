"""Erasing attached files of redacted cases that exports downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.spool.disk import is_real_directory

__all__ = ["PurgedAttachments"]


@attrs.frozen
class PurgedAttachments:
    """A directory to which exports downloaded attached files, with one subdirectory per case.

    Attributes:
        path: the directory.

    Raises:
        InvalidArgumentError: if there is no directory.
    """

    path: Path

    def __attrs_post_init__(self) -> None:
        if not self.path.is_dir():
            raise InvalidArgumentError(f"there is no directory at {self.path}: give the one of export --attachments")

    def find(self, redacted: AbstractSet[str]) -> set[str]:
        """Return which of these cases have files in the directory."""
        return {each.name for each in self.path.iterdir() if each.name in redacted and is_real_directory(each.lstat())}

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Delete all files of these cases, and return how many cases had some.

        A link is deleted, and what it points to stays.
        """
        for id in redacted:
            directory = self.path / id
            for file in directory.iterdir():
                file.unlink()
            directory.rmdir()
        return len(redacted)
