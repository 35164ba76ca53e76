"""Signatures of webhooks: how the vendor makes them, and whether one is valid. Pure.

See https://docs.withpersona.com/webhooks-best-practices.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from persona_cases.errors import PersonaError
from persona_cases.surface import publish

__all__ = ["SignatureError", "SignatureProblem", "check_signature", "written_signature"]

SignatureProblem: TypeAlias = Literal["missing", "malformed", "mismatch", "expired", "too_large"]

_SET = re.compile(r"t=(\d{1,15}),v1=([0-9a-f]{64})", re.ASCII)
_MOST_SETS = 10


class SignatureError(PersonaError):
    """A delivery is not signed by Persona, not with one of your secrets, or too old.

    Attributes:
        reason: `missing`, `malformed`, `mismatch`, `expired` or `too_large`.
    """

    def __init__(self, reason: SignatureProblem, message: str) -> None:
        super().__init__(message)
        self.reason: SignatureProblem = reason


class _SignatureSet(NamedTuple):
    """One `t=…,v1=…` of the header: there are two while a secret is rotated.

    Attributes:
        sent_at: the Unix time of the delivery, in seconds, as it was written.
        digest: the signature in hexadecimal digits.
    """

    sent_at: str
    digest: str


def written_signature(secret: bytes, body: bytes, sent_at: int) -> str:
    """Return the header that the vendor would send with a body."""
    return f"t={sent_at},v1={_digest(secret, str(sent_at), body)}"


def check_signature(
    secrets: Sequence[bytes], header: str | None, body: bytes, *, now: float, tolerance: float | None
) -> None:
    """Check that one of the secrets signed a body, and recently enough.

    Args:
        secrets: the secrets in use.
        header: the header `Persona-Signature`.
        body: the body, byte for byte as received.
        now: the Unix time in seconds.
        tolerance: maximum seconds between the signature and now, in either direction; None for no limit.

    Raises:
        SignatureError: if the signature is not valid; its `reason` says why.
    """
    if not header or not header.strip():
        raise SignatureError("missing", "the request has no header Persona-Signature, so it does not come from Persona")
    signed = [each for each in _sets(header) if _is_signed(secrets, each, body)]
    if not signed:
        raise SignatureError(
            "mismatch",
            "none of the secrets made this signature: check the secrets, and pass the body exactly as received",
        )
    if tolerance is not None and not any(abs(now - int(each.sent_at)) <= tolerance for each in signed):
        raise SignatureError("expired", "the signature is too old or from the future: check the clock of this machine")


def _sets(header: str) -> Iterator[_SignatureSet]:
    words = header.split()
    matches = [match for match in map(_SET.fullmatch, words[:_MOST_SETS]) if match is not None]
    if not matches:
        raise SignatureError("malformed", "the header Persona-Signature is not of the form t=...,v1=...")
    return (_SignatureSet(match[1], match[2]) for match in matches)


def _is_signed(secrets: Iterable[bytes], claimed: _SignatureSet, body: bytes) -> bool:
    # Compare every secret, so that the duration does not reveal which one was nearly right.
    equal = [hmac.compare_digest(_digest(secret, claimed.sent_at, body), claimed.digest) for secret in secrets]
    return any(equal)


def _digest(secret: bytes, sent_at: str, body: bytes) -> str:
    return hmac.new(secret, f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()


publish("persona_cases.webhooks", SignatureError)
