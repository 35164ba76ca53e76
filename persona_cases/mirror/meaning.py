"""What a read means for the rows of a case: pure.

A search may show a case as it was a minute ago, and two replicas of an index may disagree. The list and a single case
show it as it is. So what a search shows counts if it is newer than what the mirror has. If it is not, and differs, only
the case itself can tell.
"""

from __future__ import annotations

import enum

from persona_cases.mirror.case_version import CaseVersion, Reading

__all__ = ["Meaning", "meaning_of"]


class Meaning(enum.Enum):
    """What a read means for the rows of a case."""

    IGNORED = "ignored"
    UNCHANGED = "unchanged"
    ADDED = "added"
    UPDATED = "updated"
    REDACTED = "redacted"
    DEPARTED = "departed"
    DOUBTFUL = "doubtful"


def meaning_of(reading: Reading, known: CaseVersion | None) -> Meaning:
    """Decide what a read means.

    Args:
        reading: what was read.
        known: what the mirror remembers of the case; None if nothing.

    Returns:
        The meaning; `DOUBTFUL` if the case has to be read by itself.
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
    """Decide on a case that could not be decoded before.

    What a search shows may be older, and its times alone can be decoded as before.
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
        # The search for what does not match knows this version, or an older one, unless the clock was set back.
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
    """Decide on a case that is to have rows again."""
    return Meaning.REDACTED if reading.redacted and known.has_copies else Meaning.ADDED


def _changed(reading: Reading, known: CaseVersion) -> Meaning:
    return Meaning.REDACTED if reading.redacted and not known.redacted else Meaning.UPDATED
