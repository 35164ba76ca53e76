"""Names of downloaded files: pure. The names come from whoever sent the files, so they decide nothing but a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import PurePath
from typing import Final

__all__ = ["safe_names"]

# Path separators, what some systems refuse in a name, and what controls a terminal or hides the real ending of a name.
_UNSAFE = re.compile('[/\\\\:*?"<>|\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
# Windows takes these for devices, whatever follows the first dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?", re.IGNORECASE)
_UNNAMED: Final = "attachment"
# In bytes of UTF-8. Systems take 255, which has to do for the temporary name of a file that grows beside its place too.
_LONGEST: Final = 200
_LONGEST_ENDING: Final = 20


def safe_names(names: Iterable[str | None]) -> list[str]:
    """Return a name for each file, under which it can lie in a directory beside the others.

    No two are the same, not even where upper and lower case are, or the ways to write an accent; the second of a name
    is called `name (2).pdf`. None is hidden, none leads to another directory, and none is longer than 200 bytes. The
    name of a file depends on those before it alone, so that more files do not change it.

    Args:
        names: what the files are called; None if they have no name.
    """
    taken: set[str] = set()
    chosen: list[str] = []
    for name in map(_plain, names):
        free = next(each for each in _variants(name) if _folded(each) not in taken)
        taken.add(_folded(free))
        chosen.append(free)
    return chosen


def _plain(name: str | None) -> str:
    plain = _UNSAFE.sub("_", name or "").strip(". ") or _UNNAMED
    plain = f"_{plain}" if _RESERVED.fullmatch(plain) else plain
    return _fitted(*_parts(plain), mark="")


def _variants(name: str) -> Iterator[str]:
    yield name
    stem, ending = _parts(name)
    yield from (_fitted(stem, ending, mark=f" ({number})") for number in count(2))


def _parts(name: str) -> tuple[str, str]:
    ending = PurePath(name).suffix
    return (name.removesuffix(ending), ending) if len(ending.encode()) <= _LONGEST_ENDING else (name, "")


def _fitted(stem: str, ending: str, *, mark: str) -> str:
    tail = mark + ending
    room = _LONGEST - len(tail.encode())
    # Half a character is dropped; what a name may not end in may now stand at the end of it.
    kept = stem if len(stem.encode()) <= room else stem.encode()[:room].decode(errors="ignore").rstrip(". ")
    return kept + tail


def _folded(name: str) -> str:
    """What is the same for names that some system takes for the same (canonical caseless matching in Unicode)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
