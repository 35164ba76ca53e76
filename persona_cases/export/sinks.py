"""Where an export goes: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from persona_cases.errors import InvalidArgumentError


class AtomicFile:
    """A file that appears under its name when it is complete, and not before.

    It grows beside its destination under a temporary name; `commit` makes it durable and gives it its name, replacing
    what was there; `discard` removes it.

    Args:
        path: the destination.

    Raises:
        InvalidArgumentError: if it can not be written, before anything else happens.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InvalidArgumentError(f"can not write {self.path}: it is a directory")
        try:
            handle, name = tempfile.mkstemp(
                dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".part", text=False
            )
        except OSError as error:
            raise InvalidArgumentError(f"can not write {self.path}: {error.strerror}") from error
        self._part = Path(name)
        self._file: BinaryIO = os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)

    def restart(self) -> None:
        """Forget what was written so far."""
        self._file.seek(0)
        self._file.truncate()

    def commit(self) -> None:
        """Make the file durable and visible under its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.chmod(0o666 & ~_umask())
        self._part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._part.unlink()


def _umask() -> int:
    # There is no way to read it but to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
