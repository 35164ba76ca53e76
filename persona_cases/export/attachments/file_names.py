"""Names of downloaded files. They are untrusted, so they must not decide anything but a name. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import PurePath
from typing import Final

__all__ = ["safe_names"]

# Path separators, characters that some systems reject, and those that control a terminal or hide the real extension.
_UNSAFE = re.compile('[/\\\\:*?"<>|\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
# Windows treats these as devices, whatever follows the first dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?", re.IGNORECASE)
_UNNAMED: Final = "attachment"
# In bytes of UTF-8. Systems allow 255, which must also suffice for the temporary name of a growing file.
_LONGEST: Final = 200
_LONGEST_ENDING: Final = 20


def safe_names(names: Iterable[str | None]) -> list[str]:
    """Return a name for each file that is safe and unique in one directory.

    No two names are equal, even if upper and lower case or the ways to write an accent are ignored. The second file of
    a name is called `name (2).pdf`. No name is hidden, leads to another directory, or is longer than 200 bytes. The
    name of a file depends only on the files before it, so more files do not change it.

    Args:
        names: the names of the files; None for a file without a name.
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
    # A partial character is dropped, which may leave the name with a forbidden last character.
    kept = stem if len(stem.encode()) <= room else stem.encode()[:room].decode(errors="ignore").rstrip(". ")
    return kept + tail


def _folded(name: str) -> str:
    """Return a key that is equal for names that some system treats as equal (Unicode canonical caseless matching)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
