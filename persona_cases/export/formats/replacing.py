"""The files that an export may replace: earlier exports, but no other database."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.provenance import PROVENANCE

__all__ = ["check_replaceable"]

_MAGIC: Final = b"SQLite format 3\0"
_TABLES: Final = frozenset({PROVENANCE, "cases", "fields", "relationships"})
# Changes that are not in the database itself. SQLite would apply them to the file that replaces it.
_UNSETTLED: Final = ("-wal", "-journal")


def check_replaceable(path: str | os.PathLike[str], target: Target, *, overwrite: bool = False) -> None:
    """Check that an export replaces no database except an earlier export.

    Args:
        path: the file.
        target: the format of the export.
        overwrite: whether anything may be replaced.

    Raises:
        InvalidArgumentError: if the path is another database, or a program is changing it.
    """
    there = Path(os.fsdecode(path)).resolve()
    if not there.is_file():
        # Opening the file later shows whether it is missing, or is not a regular file.
        return
    is_database = _begins_as_database(there)
    if is_database and any(_has_content(there.with_name(there.name + ending)) for ending in _UNSETTLED):
        raise InvalidArgumentError(
            "to: another program is changing the database at this path, or stopped before it had finished: "
            "close that program, or open the database once, and export again"
        )
    if overwrite:
        return
    if is_database:
        if not _is_export(there):
            raise InvalidArgumentError(
                "to: the database at this path is not an earlier export, or has other tables besides: "
                "choose another path, or pass overwrite to replace it"
            )
    elif target.format is FileFormat.SQLITE and _has_content(there):
        raise InvalidArgumentError(
            "to: the file at this path is not a database: choose another path, or pass overwrite to replace it"
        )


def _begins_as_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        reason = error.strerror
    raise InvalidArgumentError(f"to: cannot read the file at this path, which would be replaced: {reason}")


def _is_export(path: Path) -> bool:
    import sqlite3  # noqa: PLC0415 - SQLite takes time to load

    try:
        # Immutable, so that SQLite writes no files next to it.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            rows: Iterable[tuple[str]] = database.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            )
            names = {name for (name,) in rows if not name.startswith("sqlite_")}
    except sqlite3.Error:
        return False
    return PROVENANCE in names and names <= _TABLES


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
