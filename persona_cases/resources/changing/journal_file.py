"""`Journal`: the file in which a run records what it is about to do and what it has done."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.spool.disk import (
    create_private,
    make_durable,
    make_names_durable,
    make_private,
    open_private,
    write_private,
    write_whole,
)
from persona_cases.export.threads import off_loop
from persona_cases.resources.changing.journal_lines import (
    DamagedJournalError,
    Entry,
    JournalState,
    encode_entry,
    is_journal,
    read_journal,
)

__all__ = ["Journal", "read_state"]


def read_state(path: Path, *, discard: bool = False) -> JournalState | None:
    """Read a journal; None if there is none.

    Args:
        path: the file.
        discard: whether the journal will be replaced, so that a damaged one is acceptable.

    Raises:
        InvalidArgumentError: if it cannot be read, or is not a journal.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise InvalidArgumentError("journal: this path is a folder, a link or something else: give that of a file")
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(error) from None
    if not is_journal(data):
        raise InvalidArgumentError("journal: the file at this path is not a journal of changes: give another path")
    if discard or not data:
        return None
    try:
        return read_journal(data)
    except DamagedJournalError as error:
        reason = str(error)
    raise InvalidArgumentError(
        f"journal: it is damaged ({reason}): restore it, or use restart to discard it, which forgets what was done"
    )


class Journal:
    """A journal, locked by one run.

    Use it as a context manager.

    Args:
        path: the file; its folder must exist.

    Raises:
        InvalidArgumentError: if the file cannot be written.
        ClientStateError: if another run holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = path.with_name(f".{path.name}.lock")
        # A run may end in a different thread than the one it began in.
        self._lock = FileLock(self._beside, timeout=0, thread_local=False)
        self._waiting: list[bytes] = []
        self._written = self._accepted = 0
        self._turn = asyncio.Lock()
        self._broken = False

    def __enter__(self) -> Self:
        try:
            # The lock would create missing folders, and wait for a file that it may not open.
            create_private(self._beside)
            self._lock.acquire()
        except Timeout:
            raise ClientStateError("journal: another run holds it: wait for it to end, or give another path") from None
        except (OSError, NotImplementedError) as error:
            raise _unusable(error) from None
        make_private(self._beside)
        return self

    def __exit__(self, *_: object) -> None:
        if os.name == "nt":
            # Windows cannot remove an open file.
            self._lock.release()
        with contextlib.suppress(OSError):
            self._beside.unlink()
        self._lock.release()

    def create(self, data: bytes) -> None:
        """Replace the file by the first lines atomically and durably."""
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            write_private(draft, data)
            draft.replace(self.path)
            make_names_durable(self.path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            if error.errno == errno.ENOSPC:
                raise
            raise _unusable(error) from None

    def continue_at(self, size: int) -> None:
        """Truncate an incomplete last line, so that the next one starts on a new line."""
        try:
            make_private(self.path)
            with open_private(self.path, "r+") as file:
                file.truncate(size)
        except OSError as error:
            raise _unusable(error) from None

    async def write(self, entry: Entry) -> None:
        """Write a line, and return when it is durable. Lines of several rows share one sync.

        Raises:
            OSError: if the line cannot be written. Nothing is written from then on.
        """
        self._waiting.append(encode_entry(entry))
        self._accepted += 1
        mine = self._accepted
        async with self._turn:
            if self._broken:
                raise OSError(errno.EIO, "the journal could not be written before")
            if self._written >= mine:
                return
            lines, self._waiting = self._waiting, []
            self._written += len(lines)
            try:
                await off_loop(_append, self.path, lines)
            except OSError:
                self._broken = True
                raise


def _append(path: Path, lines: Sequence[bytes]) -> None:
    with open_private(path, "a") as file:
        write_whole(file.fileno(), memoryview(b"".join(lines)))
    make_durable(path)


def _unusable(error: Exception) -> InvalidArgumentError:
    reason = getattr(error, "strerror", None) or "this file system has no locks"
    missing = ": make its folder first" if isinstance(error, FileNotFoundError) else ""
    return InvalidArgumentError(f"journal: cannot use this path: {reason}{missing}")
