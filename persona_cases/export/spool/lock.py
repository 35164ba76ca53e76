"""`DirectoryLock`: one export at a time works in a directory."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.spool.disk import is_real_directory, make_private, own_directory, refuse_link


class DirectoryLock:
    """A private directory that is made if it is not there, and held by a lock that ends with the process.

    Args:
        directory: the directory; the one that it is in has to exist.
        name: what the work is about, for the errors.

    Attributes:
        directory: the directory.
        path: the file that is locked.

    Raises:
        InvalidArgumentError: if the directory cannot be made or written, or is not ours alone.
        ClientStateError: if another export holds it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.path: Path = directory / "lock"
        # An export may end in another thread than it began in.
        self._lock = FileLock(self.path, timeout=0, thread_local=False)
        try:
            taken = self._take()
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or "this file system has no locks"
            raise InvalidArgumentError(f"cannot write {directory}: {reason}") from error
        if not taken:
            raise ClientStateError(f"{name}: another export to this file is running: wait for it to end")

    def clear(self) -> None:
        """Remove everything in the directory but the lock."""
        for left in self.directory.iterdir():
            if left == self.path:
                continue
            if is_real_directory(left.lstat()):
                shutil.rmtree(left)
            else:
                left.unlink()

    def remove(self) -> None:
        """Remove the directory and what is in it, and let others in."""
        with contextlib.suppress(OSError):
            self.clear()
        if os.name == "nt":
            # What is open cannot be removed there. If another export takes the lock now, its file stays as well.
            self._lock.release()
        with contextlib.suppress(OSError):
            # Last, because the next export may begin as soon as there is no lock.
            self.path.unlink()
            self.directory.rmdir()
        self._lock.release()

    def release(self) -> None:
        """Let others in; harmless if that was done."""
        self._lock.release()

    def _take(self) -> bool:
        # Others may remove the directory just now, and that a killed process left its lock may be found only by trying.
        for last in (False, True):
            try:
                own_directory(self.directory)
                refuse_link(self.path)
                self._lock.acquire()
                make_private(self.path)
            except Timeout:
                continue
            except FileNotFoundError:
                if last or not self.directory.parent.is_dir():
                    raise
            else:
                return True
        return False
