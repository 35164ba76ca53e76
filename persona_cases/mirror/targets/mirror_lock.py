"""`MirrorLock`: lets only one sync at a time work on a mirror."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.spool.disk import create_private

__all__ = ["MirrorLock"]


class MirrorLock:
    """A lock file next to a database, which ends with the process.

    Args:
        path: the file.

    Raises:
        ClientStateError: if another sync holds it.
        InvalidArgumentError: if the directory does not exist or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        # A sync may end in a different thread than the one it began in.
        beside = path.with_name(f".{path.name}.sync-lock")
        self._lock = FileLock(beside, timeout=0, thread_local=False)
        try:
            # The lock would create missing directories.
            create_private(beside)
            self._lock.acquire()
        except Timeout:
            reason = None
        except FileNotFoundError:
            reason = "it does not exist: make it first"
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or "this file system has no locks"
        else:
            return
        if reason is None:
            raise ClientStateError("to: another sync of this mirror is running: wait for it to end")
        raise InvalidArgumentError(f"to: cannot write the directory of the mirror: {reason}")

    def release(self) -> None:
        """Release the lock."""
        if os.name != "nt":
            # Remove the file before releasing the lock, so that nobody locks a file that no longer has this name.
            with contextlib.suppress(OSError):
                Path(self._lock.lock_file).unlink()
        self._lock.release()
