"""Portable file operations: private files, never through a link, written completely, made durable."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from persona_cases.errors import InvalidArgumentError

_Key = TypeVar("_Key")

BYTES_AT_ONCE: Final = 1 << 18
"""Maximum bytes per write: enough for a page of cases, so that it takes one call of the system.

For larger writes, Linux also allocates larger blocks of memory, which a virtual machine may have to get from its host.
"""

HAS_MODES: Final = hasattr(os, "geteuid")
"""Whether files have an owner and a mode."""

_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIRECTORY: Final = 0o700
_OTHERS: Final = 0o077
_WRITABLE_BY_OTHERS: Final = 0o022
# On Windows, a junction is a link, but its mode does not show it.
_JUNCTION: Final = 0xA0000003
_NOT_BEHIND_A_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
# Some file systems cannot sync a directory, and need not.
_NO_SUCH_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


def write_whole(file: int, data: memoryview) -> None:
    """Write all of some data to an open file."""
    while data:
        data = data[os.write(file, data[:BYTES_AT_ONCE]) :]


class AppendedFiles(Generic[_Key]):
    """Private files that are appended to. The latest ones stay open between two pages.

    Opening and closing a file takes longer than writing a page to it. What was appended survives this process. Close
    them before they are renamed or deleted, because Windows refuses that for open files.

    Args:
        path_of: returns the path of a file.
        most: how many of them stay open.
    """

    def __init__(self, path_of: Callable[[_Key], Path], *, most: int) -> None:
        self._path_of = path_of
        self._most = most
        # The latest is the last.
        self._open: dict[_Key, io.FileIO] = {}

    def append(self, which: _Key, data: bytes) -> None:
        """Append to a file, creating it if necessary."""
        file = self._open.pop(which, None)
        if file is None:
            if len(self._open) == self._most:
                self._open.pop(next(iter(self._open))).close()
            file = open_private(self._path_of(which), "a")
        self._open[which] = file
        write_whole(file.fileno(), memoryview(data))

    def close(self) -> None:
        """Close all files. They are opened again when something is appended."""
        while self._open:
            self._open.popitem()[1].close()


def make_durable(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with open_private(path, "r+") as file:
        # macOS and Windows have no `fdatasync`.
        getattr(os, "fdatasync", os.fsync)(file.fileno())


def make_names_durable(directory: Path) -> None:
    """Wait until the entries of a directory are on the disk."""
    if os.name == "nt":
        # Windows cannot open a directory.
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NO_SUCH_SYNC:
            raise
    finally:
        os.close(opened)


def open_private(path: Path, mode: str) -> io.FileIO:
    """Open a file unbuffered, never through a link. Only its owner can open a file that this creates.

    Args:
        path: the file.
        mode: the mode, as for `open`.
    """
    return io.FileIO(path, mode, opener=_open_private)


def create_private(path: Path) -> None:
    """Create an empty file that only its owner can open, unless there is one.

    Raises:
        OSError: if the directory does not exist or cannot be written, or the path is a link.
    """
    with open_private(path, "a"):
        pass


def write_private(path: Path, text: bytes) -> None:
    """Create a durable file that only its owner can open, replacing anything with that name."""
    path.unlink(missing_ok=True)
    with open_private(path, "x") as file:
        write_whole(file.fileno(), memoryview(text))
        os.fsync(file.fileno())


def set_mode(path: Path, mode: int) -> None:
    """Set the mode of one of our files, if the system has modes."""
    if HAS_MODES:
        # Some file systems, such as FAT, have no modes, and some of these raise an error.
        with contextlib.suppress(PermissionError):
            path.chmod(mode)


def make_private(path: Path) -> None:
    """Make a file readable and writable only by its owner."""
    set_mode(path, _PRIVATE_FILE)


def refuse_link(path: Path, *, names: int | None = 1) -> None:
    """Check that a path does not exist, or is a regular file without additional hard links.

    Args:
        path: the path.
        names: maximum number of names of the file; None for no limit.

    Raises:
        InvalidArgumentError: if it is something else, such as a link to another file.
    """
    found = _entry(path)
    if found is None or (stat.S_ISREG(found.st_mode) and (names is None or found.st_nlink <= names)):
        return
    raise InvalidArgumentError(
        f"cannot use {path}: it is not a file that an export made, but a link or something else. "
        f"Check who made it, then remove {path.parent}"
    )


def own_directory(path: Path) -> None:
    """Create a directory that only its owner can enter, or check that the existing one is such a directory.

    Raises:
        InvalidArgumentError: if the path is not a directory, or others own it or can write to it, unless its file
            system has no owners and modes.
        OSError: if it cannot be created.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=_PRIVATE_DIRECTORY)
    found = path.lstat()
    if not is_real_directory(found):
        reason = "it is not a directory, but a link or something else"
    elif not HAS_MODES or (_is_private(found) and not found.st_mode & _OTHERS) or not _keeps_modes(path):
        return
    elif _is_private(found):
        path.chmod(_PRIVATE_DIRECTORY)
        return
    else:
        reason = "another user owns it" if found.st_uid != os.geteuid() else "other users can write to it"
    raise InvalidArgumentError(f"cannot work in {path}: {reason}. Check who made it, then remove it")


def _is_private(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _WRITABLE_BY_OTHERS


def _keeps_modes(directory: Path) -> bool:
    """Return whether new files in a directory are private to us; FAT and some network shares have no such concept."""
    probe = directory / f"{secrets.token_hex(8)}.probe"
    try:
        with open_private(probe, "x") as file:
            made = os.fstat(file.fileno())
    except PermissionError:
        return True
    probe.unlink()
    return made.st_uid == os.geteuid() and not made.st_mode & _OTHERS


def is_real_directory(found: os.stat_result) -> bool:
    """Return whether an `lstat` result is a directory, and not a link to one."""
    return stat.S_ISDIR(found.st_mode) and getattr(found, "st_reparse_tag", 0) != _JUNCTION


def _entry(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | _NOT_BEHIND_A_LINK, _PRIVATE_FILE)
