"""Python source that `ruff format` and black leave unchanged, at any line length from 88."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["WIDTH", "docstring", "exploded", "quoted", "skipping"]

WIDTH: Final = 88
_SKIP: Final = "  # fmt: skip"


def quoted(text: str) -> str:
    """Return a string literal, with the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(letter, quote) for letter in text) + quote


def _escaped(letter: str, quote: str) -> str:
    if letter in {"\\", quote}:
        return f"\\{letter}"
    return letter if letter.isprintable() else repr(letter)[1:-1]


def docstring(text: str) -> str:
    """Return text that a docstring can hold on one line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"\s+", " ", plain).replace("\\", "/").replace('"', "'").strip()


def _width(line: str) -> int:
    # Formatters count columns, and characters of some scripts take two.
    return len(line) + sum(not letter.isascii() for letter in line)


def exploded(opening: str, parts: Sequence[str], closing: str, *, indent: int = 0) -> str:
    """Return a statement with its parts on one line, or one per line if that is too long.

    The comma after the last part keeps a formatter from joining the lines.

    Args:
        opening: the text before the parts, with the opening bracket.
        parts: the parts between the brackets.
        closing: the text after the parts, with the closing bracket.
        indent: the indentation of the statement.
    """
    margin = " " * indent
    line = f"{margin}{opening}{', '.join(parts)}{closing}"
    if _width(line) <= WIDTH:
        return line
    if _width(margin + opening) > WIDTH:
        return f"{line}{_SKIP}"
    return "\n".join([f"{margin}{opening}", *(f"{margin}    {part}," for part in parts), f"{margin}{closing}"])


def skipping(line: str) -> str:
    """Return a one-line statement of any length that a formatter leaves unchanged."""
    return line if _width(line) <= WIDTH else f"{line}{_SKIP}"
