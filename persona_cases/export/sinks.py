"""Where an export goes: sinks for cases, and files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.spool.disk import make_names_durable, set_mode
from persona_cases.surface import publish

__all__ = ["AtomicFile", "ByteSink", "Output", "Sink"]

_NEW_FILE: Final = 0o666
_PERMISSIONS: Final = 0o777
# A file that nobody may write has to be written all the same.
_OURS: Final = 0o600


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

    It grows under a temporary name; `commit` makes it durable and gives it its own, replacing the file that was there,
    whose mode it takes over. `discard` removes it. A symbolic link stays one, and what it points to is replaced.

    Args:
        path: the destination.
        within: the directory in which it grows, on the disk of the destination; None for the one of the destination.

    Attributes:
        path: the destination, links resolved.
        part: the file as it grows, for what writes files by their names.

    Raises:
        InvalidArgumentError: if it cannot be written, or is there and no regular file (a directory, a pipe, a
            device), before anything else happens.
    """

    def __init__(self, path: str | os.PathLike[str], *, within: Path | None = None) -> None:
        self.check(path)
        self.path: Path = Path(os.path.realpath(path))
        self.part: Path = (within or self.path.parent) / f".{self.path.name}.{secrets.token_hex(4)}.part"
        try:
            self._file = open(self.part, "xb", opener=self._open_part)  # noqa: SIM115 - it lives until the end
        except OSError as error:
            raise InvalidArgumentError(f"cannot write {self.path}: {error.strerror}") from error

    @staticmethod
    def check(path: str | os.PathLike[str]) -> None:
        """Check that a destination is not there, or is a file that can be replaced.

        Raises:
            InvalidArgumentError: if it is a directory, a pipe or a device.
        """
        whole = Path(os.path.realpath(path))
        try:
            mode = whole.stat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise InvalidArgumentError(f"cannot write {whole}: {error.strerror}") from error
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise InvalidArgumentError(f"cannot write {whole}: it is {kind}")

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

    def restart(self) -> None:
        """Forget what was written so far."""
        self._file.seek(0)
        self._file.truncate()

    def adopt(self, source: Path) -> None:
        """Take over another file, instead of what was written: as a second name of it, or as a copy if need be."""
        mode = stat.S_IMODE(os.fstat(self._file.fileno()).st_mode)
        self._file.close()
        self.part.unlink()
        try:
            os.link(source, self.part)
        except (OSError, AttributeError):
            # Not all disks and systems have hard links.
            shutil.copyfile(source, self.part)
        set_mode(self.part, mode)
        self._file = self.part.open("ab")

    def commit(self) -> None:
        """Make the file durable and visible under its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        mode = self._mode_of_old()
        if mode is not None:
            set_mode(self.part, mode)
        self.part.replace(self.path)
        make_names_durable(self.path.parent)

    def discard(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        with contextlib.suppress(OSError):
            # What is still buffered may not fit on the disk; it is not wanted either.
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.part.unlink()

    def _open_part(self, path: str, flags: int) -> int:
        mode = self._mode_of_old()
        opened = os.open(path, flags, _NEW_FILE if mode is None else mode | _OURS)
        if mode is not None:
            # What the process takes from new files does not count here.
            set_mode(self.part, mode | _OURS)
        return opened

    def _mode_of_old(self) -> int | None:
        try:
            return stat.S_IMODE(self.path.stat().st_mode) & _PERMISSIONS
        except FileNotFoundError:
            return None


publish("persona_cases.export", Sink)
