"""Where an export goes: sinks for cases, and files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from persona_cases.errors import InvalidArgumentError

__all__ = ["AtomicFile", "ByteSink", "Output", "Sink"]


@runtime_checkable
class Sink(Protocol):
    """What takes cases, one's own included.

    The methods run in threads, one call at a time, so that they may block. `commit` or `discard` is the last call; if
    `commit` raises, `discard` follows.
    """

    def write(self, cases: Sequence[bytes], /) -> object:
        """Take the next cases.

        Args:
            cases: each is one case, the JSON that the API sent, on one line without a line feed.
        """
        ...

    def commit(self) -> object:
        """Keep what was written: that was all."""
        ...

    def discard(self) -> object:
        """Drop what was written: the export failed or was cancelled."""
        ...


class ByteSink(Protocol):
    """What bytes can be written to; the whole of each call or nothing of it."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""
        ...


class Output(ByteSink, Protocol):
    """Where the bytes of an export go, and how that ends."""

    @property
    def size(self) -> int:
        """How many bytes are there."""
        ...

    def commit(self) -> object:
        """Keep them."""
        ...

    def discard(self) -> object:
        """Drop them; without effect after `commit`."""
        ...


class AtomicFile:
    """A file that appears under its name when it is complete, and not before.

    It grows beside its destination under a temporary name; `commit` makes it durable and gives it its name, replacing
    the file that was there; `discard` removes it. A symbolic link stays one, and what it points to is replaced.

    Args:
        path: the destination.

    Attributes:
        path: the destination, links resolved.
        part: the file as it grows, for what writes files by their names.

    Raises:
        InvalidArgumentError: if it can not be written, or is there and no regular file (a directory, a pipe, a
            device), before anything else happens.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        if self.path.exists() and not self.path.is_file():
            kind = "a directory" if self.path.is_dir() else "no regular file"
            raise InvalidArgumentError(f"can not write {self.path}: it is {kind}")
        self.part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            self._file = self.part.open("xb")
        except OSError as error:
            raise InvalidArgumentError(f"can not write {self.path}: {error.strerror}") from error

    @property
    def size(self) -> int:
        """How many bytes are in the file."""
        if self._file.closed:
            return self.path.stat().st_size
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def fileno(self) -> int:
        """Return the descriptor, for what writes past this object."""
        return self._file.fileno()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)

    @staticmethod
    def sweep(path: str | os.PathLike[str]) -> None:
        """Remove what processes that were killed left beside a destination, which nobody else may be writing to."""
        whole = Path(path).resolve()
        for left in whole.parent.glob(f".{glob.escape(whole.name)}.{'[0-9a-f]' * 8}.part*"):
            left.unlink(missing_ok=True)

    def restart(self) -> None:
        """Forget what was written so far."""
        self._file.seek(0)
        self._file.truncate()

    def adopt(self, source: Path) -> None:
        """Take over another file, instead of what was written: as a second name of it, or as a copy if need be."""
        self._file.close()
        self.part.unlink()
        try:
            os.link(source, self.part)
        except OSError:
            shutil.copyfile(source, self.part)
        self._file = self.part.open("ab")

    def commit(self) -> None:
        """Make the file durable and visible under its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        with contextlib.suppress(OSError):
            # What is still buffered may not fit on the disk; it is not wanted either.
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.part.unlink()
