"""The meaning of a read for the rows of a case. Pure.

A search may show a case as it was a minute ago, and two replicas of an index may disagree. The list and the case itself
show the current state. So the result of a search is used if it is newer than the mirror. If it is not newer but
different, only the case itself can decide.
"""

from __future__ import annotations

import enum

from persona_cases.mirror.case_version import CaseVersion, Reading

__all__ = ["Meaning", "meaning_of"]


class Meaning(enum.Enum):
    """The meaning of a read for the rows of a case."""

    IGNORED = "ignored"
    UNCHANGED = "unchanged"
    ADDED = "added"
    UPDATED = "updated"
    REDACTED = "redacted"
    DEPARTED = "departed"
    DOUBTFUL = "doubtful"


def meaning_of(reading: Reading, known: CaseVersion | None) -> Meaning:
    """Decide the meaning of a read.

    Args:
        reading: the data read.
        known: the mirror's knowledge of the case; None if there is none.

    Returns:
        The meaning; `DOUBTFUL` if the case has to be read individually.
    """
    if known is None:
        return Meaning.ADDED if reading.matches else Meaning.IGNORED
    if known.set_aside:
        return _decodable(reading, known)
    if reading.fresh:
        return _fresh(reading, known)
    if known.redacted and not reading.redacted:
        # Redaction cannot be undone, so the index is behind.
        return Meaning.IGNORED if known.gone else Meaning.UNCHANGED
    return _indexed_again(reading, known) if known.gone else _indexed(reading, known)


def _decodable(reading: Reading, known: CaseVersion) -> Meaning:
    """Decide about a case that could not be decoded before.

    A search may show an older version, and a read of only its times could be decoded before too.
    """
    if not reading.fresh or reading.digest is None:
        return Meaning.DOUBTFUL
    return _back(reading, known) if reading.matches else Meaning.IGNORED


def _fresh(reading: Reading, known: CaseVersion) -> Meaning:
    if known.gone:
        return _back(reading, known) if reading.matches else Meaning.IGNORED
    if reading.matches is False:
        return Meaning.DEPARTED
    shown = known.indexed if known.fresh is None else known.fresh
    if reading.updated_at == known.updated_at and reading.digest in {None, shown}:
        return Meaning.UNCHANGED
    return _changed(reading, known)


def _indexed(reading: Reading, known: CaseVersion) -> Meaning:
    if reading.updated_at > known.updated_at:
        return Meaning.DEPARTED if reading.matches is False else _changed(reading, known)
    if reading.digest is None:
        if reading.matches is not False:
            return Meaning.UNCHANGED
        # The search for cases that do not match knows this version or an older one, unless the clock was set back.
        return Meaning.DEPARTED if reading.updated_at == known.updated_at else Meaning.DOUBTFUL
    if reading.digest == known.indexed:
        return Meaning.UNCHANGED
    if reading.digest == known.fresh and reading.updated_at == known.updated_at:
        return Meaning.UNCHANGED
    return Meaning.DOUBTFUL


def _indexed_again(reading: Reading, known: CaseVersion) -> Meaning:
    if not reading.matches:
        return Meaning.IGNORED
    if reading.updated_at > known.updated_at:
        return _back(reading, known)
    return Meaning.IGNORED if reading.digest == known.indexed else Meaning.DOUBTFUL


def _back(reading: Reading, known: CaseVersion) -> Meaning:
    """Decide about a case that gets rows again."""
    return Meaning.REDACTED if reading.redacted and known.has_copies else Meaning.ADDED


def _changed(reading: Reading, known: CaseVersion) -> Meaning:
    return Meaning.REDACTED if reading.redacted and not known.redacted else Meaning.UPDATED
