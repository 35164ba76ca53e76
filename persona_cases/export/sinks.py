"""The destinations of an export: sinks for cases, and files that appear only when complete."""

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
# The temporary file must be writable even if the destination is read-only.
_OURS: Final = 0o600


@runtime_checkable
class Sink(Protocol):
    """A destination for cases. You can write your own.

    The methods run in threads, one call at a time, so they can block. `commit` or `discard` is the last call; if
    `commit` raises, `discard` follows.
    """

    def write(self, cases: Sequence[bytes], /) -> object:
        """Write the next cases.

        Args:
            cases: the cases, each the JSON that the API sent, on one line without a line feed.
        """
        ...

    def commit(self) -> object:
        """Keep what was written: that was all."""
        ...

    def discard(self) -> object:
        """Drop what was written: the export failed or was cancelled."""
        ...


class ByteSink(Protocol):
    """A destination for bytes; each call writes all of its bytes or nothing."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""
        ...


class Output(ByteSink, Protocol):
    """The output of an export, which is committed or discarded at the end."""

    @property
    def size(self) -> int:
        """The number of bytes written."""
        ...

    def commit(self) -> object:
        """Keep them."""
        ...

    def discard(self) -> object:
        """Drop them; it has no effect after `commit`."""
        ...


class AtomicFile:
    """A file that appears under its name only when it is complete.

    It grows under a temporary name. `commit` makes it durable and renames it, replacing an existing file and keeping
    that file's mode. `discard` removes it. A symbolic link stays a link, and its target is replaced.

    Args:
        path: the destination.
        within: the directory in which it grows, on the disk of the destination; None for the destination's directory.

    Attributes:
        path: the destination, with links resolved.
        part: the path of the growing file, for writers that need a path.

    Raises:
        InvalidArgumentError: if it cannot be written, or exists and is not a regular file (a directory, a pipe, a
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
        """Check that a destination does not exist, or is a file that can be replaced.

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
        """Return the descriptor, for writers that bypass this object."""
        return self._file.fileno()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)

    def restart(self) -> None:
        """Discard everything written so far."""
        self._file.seek(0)
        self._file.truncate()

    def adopt(self, source: Path) -> None:
        """Use another file as the content, as a hard link or, if that is not possible, as a copy."""
        mode = stat.S_IMODE(os.fstat(self._file.fileno()).st_mode)
        self._file.close()
        self.part.unlink()
        try:
            os.link(source, self.part)
        except (OSError, AttributeError):
            # Not all file systems have hard links.
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
        """Remove the temporary file; it has no effect after `commit`."""
        with contextlib.suppress(OSError):
            # Buffered data may not fit on the disk, but it is not needed.
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.part.unlink()

    def _open_part(self, path: str, flags: int) -> int:
        mode = self._mode_of_old()
        opened = os.open(path, flags, _NEW_FILE if mode is None else mode | _OURS)
        if mode is not None:
            # The process's umask does not apply here.
            set_mode(self.part, mode | _OURS)
        return opened

    def _mode_of_old(self) -> int | None:
        try:
            return stat.S_IMODE(self.path.stat().st_mode) & _PERMISSIONS
        except FileNotFoundError:
            return None


publish("persona_cases.export", Sink)
