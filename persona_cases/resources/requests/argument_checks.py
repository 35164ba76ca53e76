"""Checks of the paths, functions and idempotency keys that callers pass."""

from __future__ import annotations

import os
import uuid
from typing import cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.call_options import check_idempotency_key

__all__ = ["callback", "chosen_or_new_key", "file_path"]


def file_path(value: object, argument: str) -> None:
    """Check that an argument can be the path of a file or directory.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise InvalidArgumentError(f"{argument} must be a path: a non-empty string or a pathlib.Path")
    try:
        possible = b"\0" not in os.fsencode(cast("str | os.PathLike[str]", value))
    except ValueError:  # The caught error holds the path, and would become the context of the error raised below.
        possible = False
    if isinstance(value, str) and "://" in value:
        raise InvalidArgumentError(f"{argument} is a URL, but the files have to be on this machine: pass a path")
    if not possible:
        raise InvalidArgumentError(f"{argument} has a character that file names cannot have")


def callback(value: object, argument: str) -> None:
    """Check that an argument is a function or None.

    Raises:
        InvalidArgumentError: if it is anything else.
    """
    if value is not None and not callable(value):
        raise InvalidArgumentError(f"{argument} must be a function, or None")


def chosen_or_new_key(chosen: object) -> str:
    """Return the caller's idempotency key, or a random one.

    Raises:
        InvalidArgumentError: if the caller's key cannot be sent.
    """
    return str(uuid.uuid4()) if chosen is None else check_idempotency_key(chosen)
