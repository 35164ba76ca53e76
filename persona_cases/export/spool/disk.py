"""Files as any system has them: private, never behind a link, written whole, made durable."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from persona_cases.errors import InvalidArgumentError

BYTES_AT_ONCE: Final = 1 << 17
"""What is written at once. For more, Linux takes larger pieces of memory for the file, which a virtual machine may have
to get from its host first; and a buffer of this size stays in the cache of the processor."""

HAS_MODES: Final = hasattr(os, "geteuid")
"""Whether files have an owner and a mode."""

_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIRECTORY: Final = 0o700
_OTHERS: Final = 0o077
_WRITABLE_BY_OTHERS: Final = 0o022
# Windows: a junction is a link, but does not say so in its mode.
_JUNCTION: Final = 0xA0000003
_NOT_BEHIND_A_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
# Windows would put other line ends.
_APPENDING: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
# Some file systems cannot make a directory durable, and need not.
_NO_SUCH_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


def write_whole(file: int, data: memoryview) -> None:
    """Write all of something to an open file."""
    while data:
        data = data[os.write(file, data[:BYTES_AT_ONCE]) :]


def append_private(path: Path, data: bytes) -> None:
    """Append to a file, which is made if it is not there; what is written outlives this process."""
    # Without a file object, which takes as long to make as the rest of a small write.
    file = _open_private(path, _APPENDING)
    try:
        write_whole(file, memoryview(data))
    finally:
        os.close(file)


def make_durable(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with open_private(path, "r+") as file:
        # macOS and Windows have no `fdatasync`.
        getattr(os, "fdatasync", os.fsync)(file.fileno())


def make_names_durable(directory: Path) -> None:
    """Wait until it is on the disk which files are in a directory, and under which names."""
    if os.name == "nt":
        # A directory cannot be opened there.
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
    """Open a file without a buffer, never through a link; one that is made can be opened by its owner alone.

    Args:
        path: the file.
        mode: as `open` takes it.
    """
    return io.FileIO(path, mode, opener=_open_private)


def write_private(path: Path, text: bytes) -> None:
    """Make a durable file that only its owner can open, in the place of whatever has that name."""
    path.unlink(missing_ok=True)
    with open_private(path, "x") as file:
        write_whole(file.fileno(), memoryview(text))
        os.fsync(file.fileno())


def set_mode(path: Path, mode: int) -> None:
    """Set the mode of a file of ours, where files have modes."""
    if HAS_MODES:
        # Some file systems, such as FAT, have none, and some of these say so.
        with contextlib.suppress(PermissionError):
            path.chmod(mode)


def make_private(path: Path) -> None:
    """Let only the owner of a file open it."""
    set_mode(path, _PRIVATE_FILE)


def refuse_link(path: Path, *, names: int | None = 1) -> None:
    """Check that a path is a regular file without other names, or nothing.

    Args:
        path: the path.
        names: the most names that the file may have; None for any number.

    Raises:
        InvalidArgumentError: if it is something else, such as a link to a file elsewhere.
    """
    found = _entry(path)
    if found is None or (stat.S_ISREG(found.st_mode) and (names is None or found.st_nlink <= names)):
        return
    raise InvalidArgumentError(
        f"cannot use {path}: it is not a file that an export made, but a link or something else. "
        f"Check who made it, then remove {path.parent}"
    )


def own_directory(path: Path) -> None:
    """Make a directory that only its owner can enter, or check that the one that is there is such a directory.

    Raises:
        InvalidArgumentError: if something else has its name, or others own it or can write to it, unless its file
            system has no owners and modes.
        OSError: if it cannot be made.
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
    """Whether a new file there belongs to us alone, as all of ours should; FAT and some shares have no such thing."""
    probe = directory / f"{secrets.token_hex(8)}.probe"
    try:
        with open_private(probe, "x") as file:
            made = os.fstat(file.fileno())
    except PermissionError:
        return True
    probe.unlink()
    return made.st_uid == os.geteuid() and not made.st_mode & _OTHERS


def is_real_directory(found: os.stat_result) -> bool:
    """Return whether what `lstat` found is a directory, and not a link to one."""
    return stat.S_ISDIR(found.st_mode) and getattr(found, "st_reparse_tag", 0) != _JUNCTION


def _entry(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _open_private(path: str | Path, flags: int) -> int:
    return os.open(path, flags | _NOT_BEHIND_A_LINK, _PRIVATE_FILE)
