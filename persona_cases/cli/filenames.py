"""Names of downloaded files: pure. The names come from whoever sent the files, so they decide nothing but a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from pathlib import PurePath

__all__ = ["safe_names"]

# Path separators, what some systems refuse in a name, and what controls a terminal or hides the real ending of a name.
_UNSAFE = re.compile('[/\\\\:*?"<>|\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNNAMED = "attachment"
_LONGEST = 120


def safe_names(names: Iterable[str | None]) -> list[str]:
    """Return a name for each file, under which it can lie in a directory beside the others.

    No two are the same, not even where upper and lower case are; none is hidden, and none leads to another directory.

    Args:
        names: what the files are called; None if they have no name.
    """
    taken: set[str] = set()
    chosen: list[str] = []
    for name in map(_plain, names):
        free = next(each for each in _variants(name) if each.casefold() not in taken)
        taken.add(free.casefold())
        chosen.append(free)
    return chosen


def _plain(name: str | None) -> str:
    plain = _UNSAFE.sub("_", name or "").lstrip(". ").rstrip(". ") or _UNNAMED
    plain = f"_{plain}" if _RESERVED.fullmatch(plain) else plain
    if len(plain) <= _LONGEST:
        return plain
    ending = PurePath(plain).suffix[:20]
    return plain[: _LONGEST - len(ending)] + ending


def _variants(name: str) -> Iterable[str]:
    yield name
    path = PurePath(name)
    yield from (f"{path.stem}-{number}{path.suffix}" for number in count(2))
