"""What is given as it is, in a file (`@FILE`) or on stdin (`-`)."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from persona_cases.errors import InvalidArgumentError

__all__ = ["given_bytes", "json_document", "stdin_text"]

_DECODER: Final = msgspec.json.Decoder()
_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)


def given_bytes(given: str, option: str) -> bytes:
    """Return what was given as it is, in a file or on stdin.

    Args:
        given: the value of the option.
        option: the option.

    Raises:
        InvalidArgumentError: if the file cannot be read.
    """
    if given == "-":
        return sys.stdin.buffer.read()
    if not given.startswith("@"):
        return given.encode(errors="surrogateescape")
    try:
        return Path(given[1:]).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"{option}: cannot read the file: {error.strerror}") from None
    except ValueError:
        # A path with a NUL in it.
        raise InvalidArgumentError(f"{option}: no file can have this name") from None


def json_document(text: bytes, option: str, complaint: str, *, exact: bool = False) -> object:
    """Return a JSON document.

    Args:
        text: the document.
        option: the option that it comes from.
        complaint: what to say if it is not JSON.
        exact: whether fractions become a `Decimal` and keep all their digits.

    Raises:
        InvalidArgumentError: if it is not JSON, or an object in it has a key twice.
    """
    try:
        document = (_EXACT if exact else _DECODER).decode(text)
        # The decoder keeps the last of several members with one key.
        json.loads(text, object_pairs_hook=_members)
    except _DuplicateKeyError:
        raise InvalidArgumentError(f"{option}: an object has the same key twice: keep one of them") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidArgumentError(f"{option}: {complaint}") from None
    return document


def stdin_text(argument: str) -> str:
    """Return what is on stdin, without the line end that editors and pipes leave at its end.

    Args:
        argument: what it is read for, to be named if it cannot work.

    Raises:
        InvalidArgumentError: if it is no text.
    """
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidArgumentError(f"{argument} on stdin must be text in UTF-8") from None


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _members(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError
