"""`SqlMirror`: the common base of mirrors in SQL databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.mirror.case_version import CaseVersion
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.mirror_protocol import MirrorSettings, RowChange
from persona_cases.mirror.targets.sql_tables import SqlTables

__all__ = ["NOT_A_MIRROR", "SqlMirror", "has_no_table"]

NOT_A_MIRROR: Final = "to: the file at this path is not a mirror: choose another path"


class SqlMirror(ABC):
    """A mirror whose rows are in tables; see `Mirror`. Locking and unlocking depend on the database."""

    def __init__(self) -> None:
        self._tables: SqlTables | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @abstractmethod
    def begin(self, settings: MirrorSettings) -> Mark:
        """Lock the mirror for one sync; see `Mirror`."""

    def known(self, ids: Sequence[str]) -> Mapping[str, CaseVersion]:
        """Return the remembered versions of these cases."""
        return self._open.known(ids)

    def between(self, low: int | None, high: int | None) -> Mapping[str, CaseVersion]:
        """Return the versions of the cases that were created in `[low, high)`."""
        return self._open.between(low, high)

    def apply(self, changes: Sequence[RowChange]) -> None:
        """Change rows, without committing."""
        self._open.apply(changes)

    def rejected(self) -> int:
        """Return how many cases are set aside."""
        return self._open.rejected()

    def commit(self, mark: Mark) -> None:
        """Commit the applied changes together with the mark."""
        self._open.commit(mark)

    @abstractmethod
    def end(self) -> None:
        """Discard uncommitted changes, and unlock the mirror."""

    @property
    def _open(self) -> SqlTables:
        if self._tables is None:
            raise ClientStateError("the mirror was not taken: call begin first")
        return self._tables


def has_no_table(names: Iterable[str]) -> bool:
    """Return whether a file has no tables yet.

    Args:
        names: the names of its tables.

    Raises:
        InvalidArgumentError: if there are tables, but not those of a mirror.
    """
    there = set(names)
    if there and "persona_sync" not in there:
        raise InvalidArgumentError(NOT_A_MIRROR)
    return not there
