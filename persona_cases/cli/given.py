"""What is given as it is, in a file (`@FILE`) or on stdin (`-`)."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from persona_cases.errors import InvalidArgumentError

__all__ = ["given_bytes", "json_document", "stdin_text"]

_DECODER: Final = msgspec.json.Decoder()
_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)


def given_bytes(given: str) -> bytes:
    """Return what was given as it is, in a file or on stdin.

    Raises:
        InvalidArgumentError: if the file can not be read.
    """
    if given == "-":
        return sys.stdin.buffer.read()
    if not given.startswith("@"):
        return given.encode(errors="surrogateescape")
    try:
        return Path(given[1:]).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"can not read {given[1:]}: {error.strerror}") from error


def json_document(text: bytes, complaint: str, *, exact: bool = False) -> object:
    """Return a JSON document.

    Args:
        text: the document.
        complaint: what to say if it is none.
        exact: whether fractions become a `Decimal` and keep all their digits.

    Raises:
        InvalidArgumentError: if it is no JSON.
    """
    try:
        return (_EXACT if exact else _DECODER).decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidArgumentError(complaint) from None


def stdin_text(argument: str) -> str:
    """Return what is on stdin, without the line end that editors and pipes leave at its end.

    Args:
        argument: what it is read for, to be named if it can not work.

    Raises:
        InvalidArgumentError: if it is no text.
    """
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidArgumentError(f"{argument} on stdin must be text in UTF-8") from None
