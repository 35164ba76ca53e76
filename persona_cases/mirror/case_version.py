"""A mirror's knowledge of a case, and the data of one read. Pure."""

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

# A signed URL differs in each response, although the file is the same.
_SIGNED_URL: Final = re.compile(rb'"[^"\\]*access_token=[^"\\]*"')


def digest_of(raw: bytes) -> str:
    """Return a digest of the content of a case, ignoring the signed URLs of its files.

    Args:
        raw: the JSON of the case, as sent.
    """
    return hashlib.blake2b(_SIGNED_URL.sub(b'""', raw), digest_size=16).hexdigest()


@attrs.frozen(kw_only=True)
class CaseVersion:
    """A mirror's knowledge of a case, in addition to its rows.

    Attributes:
        created_at: when the case was created, in milliseconds since 1970.
        updated_at: when it was last changed, in milliseconds since 1970.
        redacted: whether it is redacted.
        gone: whether the mirror has no rows of it, because it does not match, no longer exists, or is set aside.
        had_rows: whether the mirror had rows of it before, so that the history or the file may have copies.
        set_aside: whether its JSON is in the mirror, because it cannot be decoded.
        indexed: the digest of what searches last showed; None if no search showed the case.
        fresh: the digest of what the list or the case itself showed, if that was the last read; otherwise None.
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
        """Whether the mirror may have old values of the case, although it has no rows for it."""
        return self.gone and not self.redacted and (self.had_rows or self.set_aside)

    @property
    def has_values(self) -> bool:
        """Whether the mirror has rows for the case, or may have old values of it."""
        return not self.gone or self.has_copies

    def departed(self) -> Self:
        """Return the same version for a case that has left the mirror."""
        return attrs.evolve(self, gone=True, had_rows=True, set_aside=False)

    def seen_by_index(self, digest: str | None) -> Self:
        """Return the same version after a search showed this digest, which turned out to be stale or unchanged."""
        return self if digest is None else attrs.evolve(self, indexed=digest)


@attrs.frozen(kw_only=True)
class Reading:
    """The data of one read of a case.

    Attributes:
        created_at: when the case was created, in milliseconds since 1970.
        updated_at: when it was last changed, in milliseconds since 1970.
        redacted: whether it is redacted.
        digest: a digest of its content; None if only its times were read.
        matches: whether the query matches it; None if the read does not show that.
        fresh: whether the read has no index lag: it came from the list or the case itself, not from a search.
    """

    created_at: int
    updated_at: int
    redacted: bool = False
    digest: str | None = None
    matches: bool | None = True
    fresh: bool = False

    @classmethod
    def of(cls, case: Case, *, matches: bool | None, fresh: bool, whole: bool = True) -> Self:
        """Make a reading of a case.

        Args:
            case: the case.
            matches: whether the query matches it; None if unknown.
            fresh: whether it was read without index lag.
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
        """Return the same reading, or if it does not show whether the case matches, let a search decide."""
        if self.matches is not None or found is None or found.updated_at != self.updated_at:
            return self
        return attrs.evolve(self, matches=found.matches)

    def version(self, known: CaseVersion | None, *, gone: bool = False) -> CaseVersion:
        """Return the version to remember after this read.

        Args:
            known: the version remembered before.
            gone: whether the mirror has no rows for the case from now on.
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
