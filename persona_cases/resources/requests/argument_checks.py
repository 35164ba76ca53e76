"""Paths, functions and idempotency keys that callers give: checked where they come in."""

from __future__ import annotations

import os
import uuid
from typing import cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.call_options import check_idempotency_key

__all__ = ["callback", "chosen_or_new_key", "file_path"]


def file_path(value: object, argument: str) -> None:
    """Check the path of a file or directory: one that the file system could have.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise InvalidArgumentError(f"{argument} must be a path: a non-empty string or a pathlib.Path")
    try:
        possible = b"\0" not in os.fsencode(cast("str | os.PathLike[str]", value))
    except ValueError:  # What it holds would be the context of the error that is raised below.
        possible = False
    if not possible:
        raise InvalidArgumentError(f"{argument} has a character that no file name can have")


def callback(value: object, argument: str) -> None:
    """Check a function that is called as work goes on, or None.

    Raises:
        InvalidArgumentError: if it is something else.
    """
    if value is not None and not callable(value):
        raise InvalidArgumentError(f"{argument} must be a function, or None")


def chosen_or_new_key(chosen: object) -> str:
    """Return the idempotency key that the caller chose, or a random one.

    Raises:
        InvalidArgumentError: if the caller's key cannot be sent.
    """
    return str(uuid.uuid4()) if chosen is None else check_idempotency_key(chosen)
