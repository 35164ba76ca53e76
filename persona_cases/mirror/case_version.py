"""What a mirror remembers of a case, and what a read tells of it: pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Self

import attrs

from persona_cases.errors import DecodeError
from persona_cases.models import Case
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.surface import publish

__all__ = ["CaseVersion", "Reading", "digest_of"]

# A signed URL differs in each response, though the file is the same.
_SIGNED_URL: Final = re.compile(rb'"[^"\\]*access_token=[^"\\]*"')


def digest_of(raw: bytes) -> str:
    """Return a digest of the content of a case, which the signed URLs of its files do not change.

    Args:
        raw: the JSON of the case, as it was sent.
    """
    return hashlib.blake2b(_SIGNED_URL.sub(b'""', raw), digest_size=16).hexdigest()


@attrs.frozen(kw_only=True)
class CaseVersion:
    """What a mirror remembers of a case, beside its rows.

    Attributes:
        created_at: when the case was created, in milliseconds since 1970.
        updated_at: when it was changed last, in milliseconds since 1970.
        redacted: whether it is redacted.
        gone: whether the mirror has no rows of it, because it does not match, is no longer there, or is set aside.
        had_rows: whether the mirror had rows of it before it was gone, so that the history or the file may have
            copies.
        set_aside: whether its text is in the mirror, because it cannot be decoded.
        indexed: the digest of what searches showed last; None if the case was read otherwise alone.
        fresh: the digest of what the list or the case itself showed, if that was read last; otherwise None.
    """

    created_at: int
    updated_at: int
    redacted: bool = False
    gone: bool = False
    had_rows: bool = False
    set_aside: bool = False
    indexed: str | None = None
    fresh: str | None = None

    @property
    def has_copies(self) -> bool:
        """Whether the mirror may have old values of the case, although it has no rows of it."""
        return self.gone and not self.redacted and (self.had_rows or self.set_aside)

    @property
    def has_values(self) -> bool:
        """Whether the mirror has rows of the case, or may have old values of it."""
        return not self.gone or self.has_copies

    def departed(self) -> Self:
        """Return the same version, once the mirror has nothing of the case."""
        return attrs.evolve(self, gone=True, had_rows=True, set_aside=False)

    def seen_by_index(self, digest: str | None) -> Self:
        """Return the same version, once a search showed something that turned out to be stale, or the same."""
        return self if digest is None else attrs.evolve(self, indexed=digest)


@attrs.frozen(kw_only=True)
class Reading:
    """What one read tells of a case.

    Attributes:
        created_at: when the case was created, in milliseconds since 1970.
        updated_at: when it was changed last, in milliseconds since 1970.
        redacted: whether it is redacted.
        digest: a digest of its content; None if only its times were read.
        matches: whether the query finds it; None if the read cannot tell.
        fresh: whether the read is free of index lag: the list or the case itself, and not a search.
    """

    created_at: int
    updated_at: int
    redacted: bool = False
    digest: str | None = None
    matches: bool | None = True
    fresh: bool = False

    @classmethod
    def of(cls, case: Case, *, matches: bool | None, fresh: bool, whole: bool = True) -> Self:
        """Read a case.

        Args:
            case: the case.
            matches: whether the query finds it; None if that is not known.
            fresh: whether it was read free of index lag.
            whole: whether all of its attributes were loaded.

        Raises:
            DecodeError: if it has no creation time.
        """
        if case.created_at is None:
            raise DecodeError("the case has no creation time", pointer="/attributes/created-at", case_id=case.id)
        return cls(
            created_at=moment_of(case.created_at),
            updated_at=moment_of(case.updated_at or case.created_at),
            redacted=case.redacted_at is not None,
            digest=digest_of(case.raw) if whole else None,
            matches=matches,
            fresh=fresh,
        )

    def told_by(self, found: Reading | None) -> Self:
        """Return the same reading, decided by a search that found the same version, if the case itself cannot tell."""
        if self.matches is not None or found is None or found.updated_at != self.updated_at:
            return self
        return attrs.evolve(self, matches=found.matches)

    def version(self, known: CaseVersion | None, *, gone: bool = False) -> CaseVersion:
        """Return what to remember after this read.

        Args:
            known: what was remembered before.
            gone: whether the mirror has no rows of the case from now on.
        """
        last = None if known is None else known.indexed
        return CaseVersion(
            created_at=self.created_at,
            updated_at=self.updated_at,
            redacted=self.redacted,
            gone=gone,
            had_rows=gone and not self.redacted and known is not None and known.has_values,
            indexed=last if self.fresh or self.digest is None else self.digest,
            fresh=self.digest if self.fresh else None,
        )


publish("persona_cases.mirror", CaseVersion)
