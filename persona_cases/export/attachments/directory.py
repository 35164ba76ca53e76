"""`FileDirectory`: the directory of downloaded files, each under its name once it is complete."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from itertools import count
from pathlib import Path
from typing import Final

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.attachments.file_listing import CaseFiles
from persona_cases.export.spool.disk import is_real_directory
from persona_cases.export.spool.lock import DirectoryLock

__all__ = ["FileDirectory"]

# A case cannot have this id.
_DRAFTS: Final = ".persona-cases-partial"


class FileDirectory:
    """A directory with one subdirectory per case, and one for incomplete files.

    Args:
        path: the directory; `open` creates it if it is missing.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._drafts = self._path / _DRAFTS
        self._numbers = count()
        self._lock: DirectoryLock | None = None

    def open(self) -> None:
        """Lock the directory, and remove incomplete files of an export that was killed.

        Raises:
            InvalidArgumentError: if the directory cannot be created or written.
            ClientStateError: if another export is downloading to it.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(f"cannot write {self._path}: {error.strerror}") from error
        # The original error is about the exported file.
        with contextlib.suppress(ClientStateError):
            self._lock = DirectoryLock(self._drafts, self._path.name)
        if self._lock is None:
            raise ClientStateError(
                f"another export is downloading to {self._path}: wait for it, or name another directory"
            )
        try:
            self._lock.clear()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Remove incomplete files, and unlock the directory."""
        if self._lock is not None:
            self._lock.remove()
            self._lock = None

    def wanted(self, files: CaseFiles) -> list[tuple[int, Path]]:
        """Return the files of a case that do not exist with the size that the case states: number and path of each.

        If the case does not state a size, any file counts, because only complete files have names.
        """
        paths = [self._path / files.case_id / name for name in files.names]
        return [
            (number, path)
            for number, (path, file) in enumerate(zip(paths, files.attachments, strict=True))
            if not _is_there(path, file.byte_size)
        ]

    def draft(self) -> Path:
        """Return a path for an incomplete file."""
        # Not named like the file, because errors show the path, and file names often contain names of people.
        return self._drafts / str(next(self._numbers))

    def place(self, draft: Path, path: Path) -> int:
        """Rename a complete file to its final name, and return its size in bytes.

        If the name is a link, it is replaced, never followed.

        Raises:
            OSError: if that fails, or the directory is a link; it names the directory, not the file.
        """
        try:
            size = draft.stat().st_size
            path.parent.mkdir(exist_ok=True)
            if not is_real_directory(path.parent.lstat()):
                raise NotADirectoryError(errno.ENOTDIR, "it is a link")
            draft.replace(path)
        except OSError as error:
            failure = OSError(error.errno, error.strerror, str(path.parent))
        else:
            return size
        raise failure


def _is_there(path: Path, size: int | None) -> bool:
    try:
        directory, found = path.parent.lstat(), path.lstat()
    except OSError:
        # If something is in the way, renaming the file raises the error.
        return False
    return is_real_directory(directory) and stat.S_ISREG(found.st_mode) and size in {None, found.st_size}
