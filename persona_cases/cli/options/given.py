"""Values that are given inline, in a file (`@FILE`) or on stdin (`-`)."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from persona_cases.errors import InvalidArgumentError

__all__ = ["given_bytes", "json_document", "path_or_stdin", "stdin_text"]

_DECODER: Final = msgspec.json.Decoder()
_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)


def given_bytes(given: str, option: str) -> bytes:
    """Return a value that is given inline, in a file or on stdin.

    Args:
        given: the value of the option.
        option: the option.

    Raises:
        InvalidArgumentError: if the file cannot be read.
    """
    if given.startswith("@"):
        return _content(given[1:], option)
    return sys.stdin.buffer.read() if given == "-" else given.encode(errors="surrogateescape")


def path_or_stdin(given: str, option: str) -> bytes:
    """Return the content of a file, or of stdin for `-`.

    Args:
        given: the value of the option.
        option: the option, for the error.

    Raises:
        InvalidArgumentError: if the file cannot be read.
    """
    return sys.stdin.buffer.read() if given == "-" else _content(given, option)


def _content(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"{option}: cannot read the file: {error.strerror}") from None
    except ValueError:
        # The path contains a NUL.
        raise InvalidArgumentError(f"{option}: no file can have this name") from None


def json_document(text: bytes, option: str, complaint: str, *, exact: bool = False) -> object:
    """Return a JSON document.

    Args:
        text: the document.
        option: the option, for the error.
        complaint: the error message if the text is not JSON.
        exact: whether fractions become a `Decimal` and keep all digits.

    Raises:
        InvalidArgumentError: if the text is not JSON, or an object has the same key twice.
    """
    try:
        document = (_EXACT if exact else _DECODER).decode(text)
        # The decoder silently keeps the last of several members with the same key.
        json.loads(text, object_pairs_hook=_members)
    except _DuplicateKeyError:
        raise InvalidArgumentError(f"{option}: an object has the same key twice: keep one of them") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidArgumentError(f"{option}: {complaint}") from None
    return document


def stdin_text(argument: str) -> str:
    """Return stdin as text, without the line end that editors and pipes append.

    Args:
        argument: what the text is for, to be named in the error.

    Raises:
        InvalidArgumentError: if stdin is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidArgumentError(f"{argument} on stdin must be UTF-8 text") from None


class _DuplicateKeyError(Exception):
    """An object has the same key twice."""


def _members(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError
