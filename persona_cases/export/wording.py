"""Quantities in words. Pure."""

from __future__ import annotations

import math
from datetime import timedelta

__all__ = ["duration", "plural", "size"]

_UNITS = ("kB", "MB", "GB")


def plural(number: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Return a number of bytes in words."""
    if number < 1000:
        return f"{number} bytes"
    power = min(int(math.log10(number)) // 3, len(_UNITS))
    return f"{number / 1000**power:.1f} {_UNITS[power - 1]}"


def duration(seconds: float) -> str:
    """Return a duration in words."""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
