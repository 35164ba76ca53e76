"""`DirectoryLock`: one process at a time works in a directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from persona_cases.errors import ClientStateError, InvalidArgumentError


class DirectoryLock:
    """A directory that is made if it is not there, and held by a lock that ends with the process.

    Args:
        directory: the directory; the one that it is in has to exist.
        name: what the work is about, for the errors.

    Raises:
        InvalidArgumentError: if the directory can not be made or written.
        ClientStateError: if another process holds it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / "lock"
        try:
            directory.mkdir(exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            self._directory = os.open(directory, os.O_RDONLY)
        except OSError as error:
            raise InvalidArgumentError(f"can not write {directory}: {error.strerror}") from error
        if not self._take():
            self.release()
            raise ClientStateError(f"{name}: another process is exporting to this file")

    def sync_directory(self) -> None:
        """Make durable which files are in the directory, and under which names."""
        os.fsync(self._directory)

    def release(self) -> None:
        """Let others in; harmless if that was done."""
        for descriptor in (self._file, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._directory = -1

    def _take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        # Whoever held it before may have removed the directory after we opened the file.
        return self.path.exists() and os.fstat(self._file).st_ino == self.path.stat().st_ino
