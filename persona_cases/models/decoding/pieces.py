"""Splitting of JSON text without decoding its values, for text with values that Python cannot represent.

A number such as `1e400`, 5,000 digits or a lone surrogate makes a decoder reject the whole text, although it is valid
JSON. This file looks only at brackets and strings.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

__all__ = ["is_json", "members", "pieces", "without_line_ends"]

_MARK: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_KEY: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")\s*+:\s*+', re.DOTALL)
_TOKEN: Final = re.compile(
    rb'[ \t\n\r]*+(?:(?P<text>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    rb"|(?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)"
    rb"|(?P<mark>[\[\]{},:]))"
)
_BEGINNING: str = "value"
_ENDS: Final = {b"[": b"]", b"{": b"}"}


def without_line_ends(text: bytes) -> bytes:
    """Return JSON text without line breaks, which can occur only between tokens."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def pieces(text: bytes) -> list[bytes] | None:
    """Return the items between the commas of an array or an object; None if the text is neither or is truncated."""
    text = text.strip()
    if text[:1] not in _ENDS:
        return None
    found, depth, start = list[bytes](), 0, 1
    for match in _MARK.finditer(text):
        mark = match.group()
        if mark in {b"[", b"{"}:
            depth += 1
        elif mark in {b"]", b"}"}:
            depth -= 1
            if not depth:
                last = text[start : match.start()].strip()
                return [*found, *([last] if last else [])] if match.end() == len(text) else None
        elif mark == b"," and depth == 1:
            found.append(text[start : match.start()].strip())
            start = match.end()
    return None


def members(text: bytes) -> dict[str, bytes] | None:
    """Return the values of an object, as text, by their names; None if the text is not an object."""
    found = pieces(text) if text.lstrip()[:1] == b"{" else None
    if found is None:
        return None
    named = dict[str, bytes]()
    for piece in found:
        key = _KEY.match(piece)
        name = None if key is None else _name(key.group(1))
        if key is None or name is None:
            return None
        named[name] = piece[key.end() :]
    return named


def is_json(text: bytes) -> bool:
    """Return whether a text is valid JSON, with any numbers and strings and nested to any depth."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    place, ends = 0, list[bytes]()
    wanted = _BEGINNING
    while match := _TOKEN.match(text, place):
        place, mark = match.end(), match.group("mark")
        if mark is None:
            follows = _after_scalar(wanted, is_text=match.group("scalar") is None)
        elif mark in _ENDS:
            follows = "" if "value" not in wanted else "value or end" if mark == b"[" else "key or end"
            ends.append(_ENDS[mark])
        elif mark == b":":
            follows = "value" if wanted == "colon" else ""
        elif mark == b",":
            follows = "" if wanted != "comma or end" or not ends else "value" if ends[-1] == b"]" else "key"
        else:
            follows = "comma or end" if "end" in wanted and ends and ends.pop() == mark else ""
        if not follows:
            return False
        wanted = follows
    return wanted == "comma or end" and not ends and not text[place:].strip(b" \t\n\r")


def _after_scalar(wanted: str, *, is_text: bool) -> str:
    if wanted.startswith("key"):
        return "colon" if is_text else ""
    return "comma or end" if wanted.startswith("value") else ""


def _name(key: bytes) -> str | None:
    try:
        return msgspec.json.decode(key, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not a name that is looked for.
        return key.decode(errors="replace")
