"""Conversion of the meaning of a read to changes of a mirror's rows. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeAlias

import attrs

from persona_cases.mirror.case_version import CaseVersion, Reading, digest_of
from persona_cases.mirror.meaning import Meaning
from persona_cases.mirror.mirror_protocol import Forget, Put, Remember, RowChange, SetAside
from persona_cases.models.decoding.sound_page import Signs

__all__ = ["CHANGES", "MeaningCount", "change_for", "confirmed", "rejection", "unwanted_text", "vanished"]

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
) -> RowChange | None:
    """Return the change of the rows of a case.

    Args:
        id: the id of the case.
        line: the case on one line.
        reading: the data read.
        known: the mirror's knowledge of the case.
        meaning: the meaning of the read.
        floor: the oldest change that searches look for; None for all. Of cases that do not match, only newer versions
            need to be remembered.

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
            return _unwanted(id, reading, known, floor)
        case _:
            return None


def _unwanted(id: str, reading: Reading, known: CaseVersion | None, floor: int | None) -> RowChange | None:
    """Return the change for a case that does not match and has no rows."""
    set_aside = known is not None and known.set_aside
    if known is not None and known.redacted and not set_aside:
        return None
    erase = reading.redacted and known is not None and known.has_copies
    recent = reading.fresh and reading.matches is False and (floor is None or reading.updated_at >= floor)
    news = known is None or known.updated_at != reading.updated_at
    if not (erase or set_aside or (recent and news)):
        return None
    return Forget(id=id, version=reading.version(known, gone=True), erase=erase)


def rejection(id: str, line: bytes, reason: str, signs: Signs, known: CaseVersion | None) -> SetAside | None:
    """Return the change of the rows of an undecodable case.

    Args:
        id: the id of the case.
        line: the case as sent.
        reason: what is wrong with it.
        signs: its readable parts.
        known: the mirror's knowledge of the case.

    Returns:
        The change; None if the mirror already has exactly this case.
    """
    digest = digest_of(line)
    if known is not None and known.set_aside and known.fresh == digest:
        return None
    created_at, updated_at = signs.created_at, signs.updated_at
    version = CaseVersion(
        created_at=created_at if created_at is not None else 0 if known is None else known.created_at,
        updated_at=updated_at if updated_at is not None else 0 if known is None else known.updated_at,
        redacted=bool(signs.redacted),
        gone=True,
        had_rows=known is not None and known.has_values,
        set_aside=True,
        fresh=digest,
    )
    # If it is unknown whether it is redacted, it may be.
    return SetAside(id=id, line=line, reason=reason, version=version, erase=signs.redacted is not False)


def unwanted_text(id: str, signs: Signs, known: CaseVersion | None) -> RowChange | None:
    """Return the change of the rows of an undecodable case that does not match.

    Args:
        id: the id of the case.
        signs: its readable parts.
        known: the mirror's knowledge of the case.
    """
    if known is None:
        return None
    erase = known.has_values and signs.redacted is not False
    if known.gone and not known.set_aside and not erase:
        return None
    version = attrs.evolve(known.departed(), redacted=known.redacted or erase)
    return Forget(id=id, version=version, departed=not known.gone, erase=erase)


def vanished(id: str, known: CaseVersion | None) -> RowChange | None:
    """Return the change of the rows of a case that no longer exists."""
    if known is None or (known.gone and not known.set_aside):
        return None
    return Forget(id=id, version=known.departed(), departed=True)


def confirmed(id: str, known: CaseVersion) -> RowChange:
    """Return the change after a search showed other data than the case itself, which has not changed."""
    return Remember(id=id, version=known)
