"""Text that is safe to write to a terminal, and whether a stream is one."""

from __future__ import annotations

import re
from typing import IO, Any

__all__ = ["escaped", "is_terminal", "visible"]

# C0 and C1 controls, line and paragraph separators, and characters that change the direction of writing.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CONTROL_PICTURES = 0x2400


def visible(text: str) -> str:
    """Return a text on one line, with a symbol for each character that could control a terminal.

    Values of cases are often untrusted, and an error may come from any server between here and the API.
    """
    return _INVISIBLE.sub(_picture, text)


def escaped(json: str) -> str:
    """Return an equal JSON text that cannot control a terminal. Line feeds stay."""
    return _INVISIBLE.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", json)


def is_terminal(stream: IO[Any]) -> bool:
    """Return whether a stream is a terminal."""
    return not stream.closed and stream.isatty()


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(_CONTROL_PICTURES + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
