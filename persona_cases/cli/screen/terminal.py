"""What may be written to a terminal, and whether there is one."""

from __future__ import annotations

import re
from typing import IO, Any

__all__ = ["escaped", "is_terminal", "visible"]

# C0 and C1 controls, line and paragraph separators, and what turns the direction of writing.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CONTROL_PICTURES = 0x2400


def visible(text: str) -> str:
    """Return a text on one line that can do nothing to a terminal: what controls one is shown as a symbol.

    What cases hold was often typed in by strangers, and the title of an error may come from anything between here and
    the API.
    """
    return _INVISIBLE.sub(_picture, text)


def escaped(json: str) -> str:
    """Return a JSON text that means the same and can do nothing to a terminal; line feeds stay."""
    return _INVISIBLE.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", json)


def is_terminal(stream: IO[Any]) -> bool:
    """Whether somebody looks at what is written to a stream."""
    return not stream.closed and stream.isatty()


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(_CONTROL_PICTURES + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
