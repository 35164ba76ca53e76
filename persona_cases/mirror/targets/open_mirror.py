"""From what a caller gives as `to` to the mirror that it names."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Final

from persona_cases.errors import InvalidArgumentError
from persona_cases.mirror.mirror_protocol import Mirror

__all__ = ["mirror_at"]

_SQLITE: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def mirror_at(to: object) -> Mirror:
    """Return the mirror at a path, or the object itself if it is one. Nothing is opened yet.

    Raises:
        InvalidArgumentError: if it names no mirror.
    """
    if not isinstance(to, (str, os.PathLike)):
        if isinstance(to, Mirror):
            return to
        raise InvalidArgumentError(f"to must be the path of a database, or a Mirror, not {type(to).__name__}")
    path = os.fsdecode(to)
    suffix = PurePath(path).suffix.lower()
    if suffix in _SQLITE:
        from persona_cases.mirror.targets.sqlite_mirror import SqliteMirror  # noqa: PLC0415 - SQLite takes time to load

        return SqliteMirror(path)
    raise InvalidArgumentError("to: the extension names no database: use .db, .sqlite or .sqlite3")
