"""Where an export goes: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from persona_cases.errors import InvalidArgumentError


class AtomicFile:
    """A file that appears under its name when it is complete, and not before.

    It grows beside its destination under a temporary name; `commit` makes it durable and gives it its name, replacing
    the file that was there; `discard` removes it. A symbolic link stays one, and what it points to is replaced.

    Args:
        path: the destination.

    Raises:
        InvalidArgumentError: if it can not be written, or is there and no regular file (a directory, a pipe, a
            device), before anything else happens.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        if self.path.exists() and not self.path.is_file():
            kind = "a directory" if self.path.is_dir() else "no regular file"
            raise InvalidArgumentError(f"can not write {self.path}: it is {kind}")
        self._part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise InvalidArgumentError(f"can not write {self.path}: {error.strerror}") from error

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
        self._part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._part.unlink()
