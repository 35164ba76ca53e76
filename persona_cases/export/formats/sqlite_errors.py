"""Conversion of SQLite's errors to the usual ones, without messages that may quote values."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Generator

from persona_cases.errors import ClientStateError

__all__ = ["guarded", "os_error"]


def os_error(error: sqlite3.Error) -> OSError:
    """Return the error that other formats raise for a full or broken disk."""
    code = getattr(error, "sqlite_errorcode", None)
    number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
    return OSError(number, os.strerror(number))


@contextlib.contextmanager
def guarded(held: str) -> Generator[None]:
    """Convert SQLite's errors to ours.

    Args:
        held: the message if another program holds the database.

    Raises:
        ClientStateError: if another program holds the database.
        OSError: if the database cannot be read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        is_held = code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        failure = ClientStateError(held) if is_held else os_error(error)
    else:
        return
    raise failure
