"""`DirectoryLock`: lets only one export at a time work in a directory."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.spool.disk import is_real_directory, make_private, own_directory, refuse_link


class DirectoryLock:
    """A private directory, created if necessary, with a lock that ends with the process.

    Args:
        directory: the directory; its parent must exist.
        name: the name of the output file, for errors.

    Attributes:
        directory: the directory.
        path: the locked file.

    Raises:
        InvalidArgumentError: if the directory cannot be created or written, or is not private to us.
        ClientStateError: if another export holds it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.path: Path = directory / "lock"
        # An export may end in a different thread than the one it began in.
        self._lock = FileLock(self.path, timeout=0, thread_local=False)
        try:
            taken = self._take()
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or "this file system has no locks"
            raise InvalidArgumentError(f"cannot write {directory}: {reason}") from error
        if not taken:
            raise ClientStateError(f"{name}: another export to this file is running: wait for it to end")

    def clear(self) -> None:
        """Remove everything in the directory except the lock."""
        for left in self.directory.iterdir():
            if left == self.path:
                continue
            if is_real_directory(left.lstat()):
                shutil.rmtree(left)
            else:
                left.unlink()

    def remove(self) -> None:
        """Remove the directory and its contents, and release the lock."""
        with contextlib.suppress(OSError):
            self.clear()
        if os.name == "nt":
            # Windows cannot remove an open file. If another export takes the lock now, its file stays too.
            self._lock.release()
        with contextlib.suppress(OSError):
            # Last, because the next export may begin as soon as the lock is gone.
            self.path.unlink()
            self.directory.rmdir()
        self._lock.release()

    def release(self) -> None:
        """Release the lock; calling it again is harmless."""
        self._lock.release()

    def _take(self) -> bool:
        # Another process may be removing the directory, and only an attempt shows that a killed process left its lock.
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
