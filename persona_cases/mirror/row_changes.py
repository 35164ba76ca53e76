"""From what a read means to how the rows of a mirror change: pure."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeAlias

from persona_cases.mirror.case_version import CaseVersion, Reading
from persona_cases.mirror.meaning import Meaning
from persona_cases.mirror.mirror_protocol import Forget, Put, Remember, RowChange

__all__ = ["CHANGES", "MeaningCount", "change_for", "confirmed", "vanished"]

CHANGES: Final = frozenset({Meaning.ADDED, Meaning.UPDATED, Meaning.REDACTED, Meaning.DEPARTED})
"""The meanings that change rows."""

MeaningCount: TypeAlias = Counter[Meaning]


def change_for(
    id: str,
    line: bytes,
    reading: Reading,
    known: CaseVersion | None,
    meaning: Meaning,
    *,
    floor: int | None = None,
    history: bool = False,
) -> RowChange | None:
    """Return how the rows change.

    Args:
        id: the id of the case.
        line: the case on one line.
        reading: what was read.
        known: what the mirror remembers.
        meaning: what the read means.
        floor: the oldest change that searches are asked for; None for all. Of what does not match, only newer versions
            need to be remembered.
        history: whether the mirror keeps the values of departed cases.

    Returns:
        The change; None if nothing changes.
    """
    match meaning:
        case Meaning.ADDED | Meaning.UPDATED | Meaning.REDACTED:
            return Put(id=id, line=line, version=reading.version(known), change=meaning.value)
        case Meaning.DEPARTED:
            gone = reading.version(known, gone=True)
            return Forget(id=id, version=gone, departed=True, erase=reading.redacted)
        case Meaning.IGNORED:
            return _unwanted(id, reading, known, floor, history=history)
        case _:
            return None


def _unwanted(
    id: str, reading: Reading, known: CaseVersion | None, floor: int | None, *, history: bool
) -> RowChange | None:
    """Return what to do about a case that does not match, and has no rows."""
    if known is not None and known.redacted:
        return None
    # Of a departed case, the history may have values.
    erase = history and reading.redacted and known is not None
    recent = reading.fresh and reading.matches is False and (floor is None or reading.updated_at >= floor)
    news = known is None or known.updated_at != reading.updated_at
    if not erase and not (recent and news):
        return None
    return Forget(id=id, version=reading.version(known, gone=True), erase=erase)


def vanished(id: str, known: CaseVersion | None) -> RowChange | None:
    """Return how the rows of a case change that is no longer there."""
    if known is None or known.gone:
        return None
    return Forget(id=id, version=known.departed(), departed=True)


def confirmed(id: str, known: CaseVersion) -> RowChange:
    """Return what to remember after a search showed something else than the case itself, which has not changed."""
    return Remember(id=id, version=known)
