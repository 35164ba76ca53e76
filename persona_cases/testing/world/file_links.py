"""Signed links to attached files: anyone with a link can download the file, until the link expires.

See https://docs.withpersona.com/downloading-files.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

import attrs

from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.stored_cases import StoredFile

__all__ = ["FILES_ROOT", "FileLinks", "FileSigner"]

FILES_ROOT = "/files/"
_MILLISECONDS = 1000
_PERIODS = 360


class FileSigner:
    """Signs the permission to download a file.

    All permissions given within one period, 1/360 of their lifetime, are identical, so consecutive responses can be
    compared. In exchange, they expire slightly early.

    Args:
        clock: the clock that decides when a permission has expired.
        lifetime: seconds that a permission lasts.
        seed: determines the signing key, so that signatures are reproducible.
    """

    def __init__(self, clock: Clock, lifetime: float, seed: int) -> None:
        self._clock = clock
        self._start = clock.monotonic()
        self._lifetime = lifetime
        self._key = f"files:{seed}".encode()

    def expiry(self) -> int:
        """Return when a permission given now expires, in milliseconds since the simulator was created."""
        period = self._lifetime / _PERIODS
        begun = (self._clock.monotonic() - self._start) // period * period
        return round((begun + self._lifetime) * _MILLISECONDS)

    def sign(self, file: StoredFile, expiry: int) -> str:
        """Return the access token for a file."""
        permission = f"{file.token}.{expiry}"
        return f"{permission}.{self._signature(permission)}"

    def token(self, access_token: str) -> str | None:
        """Return the token of the file that an access token is for; None if it is forged or has expired."""
        permission, _, signature = access_token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(permission).encode()):
            return None
        token, _, expiry = permission.rpartition(".")
        age = (self._clock.monotonic() - self._start) * _MILLISECONDS
        return token if age < int(expiry) else None

    def _signature(self, permission: str) -> str:
        return hmac.digest(self._key, permission.encode(), hashlib.sha256).hex()[:32]


@attrs.frozen
class FileLinks:
    """The links of one response, which all expire at the same time."""

    origin: str
    signer: FileSigner
    expiry: int

    def url(self, file: StoredFile) -> str:
        """Return the URL from which an attached file can be downloaded."""
        return f"{self.origin}{FILES_ROOT}{quote(file.filename)}?access_token={self.signer.sign(file, self.expiry)}"
