"""The URLs from which files may be fetched: the one from the API, and each URL that it redirects to."""

from __future__ import annotations

import re
import string
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import msgspec

from persona_cases.errors import APIError, InvalidArgumentError
from persona_cases.protocol.addresses.hosts import authority, is_loopback, is_public, is_well_formed
from persona_cases.protocol.addresses.urls import BaseURL, is_local, origin_of

__all__ = ["MOST_REDIRECTS", "REDIRECTS", "FileAddresses"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5

# Compiled when needed, because a range of surrogates takes a millisecond.
_UNPRINTABLE = r"[\x00-\x1f\x7f\ud800-\udfff]"
# Encoded parts stay as they are, because an access token is signed character by character.
_KEPT = string.ascii_letters + string.digits + string.punctuation


class _UnfitError(Exception):
    """A URL is not allowed; the message says why."""


class FileAddresses(msgspec.Struct, frozen=True):
    """The allowed URLs of the files of one API.

    They are https. Plain http is allowed on this machine, and for the host of the API if its base URL is plain http. A
    URL in a private network is allowed only if the API is in one, and only while no host of the internet redirects to
    it.

    Attributes:
        base: the base URL of the API.
    """

    base: BaseURL

    def first(self, url: object) -> str:
        """Check the URL of a file.

        Returns:
            The URL, encoded.

        Raises:
            InvalidArgumentError: if files cannot or must not be fetched from there.
        """
        try:
            return self._checked(url, trusted=True)
        except _UnfitError as reason:
            problem = str(reason)
        raise InvalidArgumentError(f"the attachment's url {problem}: load the case again to get the API's own URL")

    def following(self, current: str, location: str | None, *, status: int, redirects: int) -> str:
        """Check the target of a redirect.

        Args:
            current: the URL that responded, already checked.
            location: its `Location` header.
            status: its status.
            redirects: how many redirects there were before this one.

        Returns:
            The next URL, encoded.

        Raises:
            APIError: if the redirect must not be followed.
        """
        try:
            return self._checked(_joined(current, location, redirects), trusted=self._is_near(current))
        except _UnfitError as reason:
            problem = str(reason)
        raise APIError(f"the file host's redirect {problem}: it is not followed", status=status)

    def _is_near(self, url: str) -> bool:
        """Return whether a URL is on the API's host, or in a private network like the API."""
        return origin_of(urlsplit(url)) == self.base.origin or (is_local(self.base.url) and is_local(url))

    def _checked(self, url: object, *, trusted: bool) -> str:
        parts = _parts(url)
        host, port = parts.hostname or "", parts.port
        near = trusted and is_local(self.base.url)
        of_the_api = trusted and origin_of(parts) == self.base.origin
        if parts.scheme == "http" and not of_the_api and not (near and is_loopback(host)):
            raise _UnfitError("must be https://, because its access token would be readable on the way")
        if not near and not of_the_api and not is_public(host):
            raise _UnfitError("leads to this machine or to a private network")
        return parts._replace(netloc=authority(host, port), path=parts.path or "/", fragment="").geturl()


def _parts(url: object) -> SplitResult:
    """Split a URL, and check that each part can be sent."""
    if not isinstance(url, str) or not url or re.search(_UNPRINTABLE, url):
        raise _UnfitError("is not a URL")
    try:
        parts = urlsplit(quote(url, safe=_KEPT))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _UnfitError("is not a URL") from None
    if parts.scheme not in {"http", "https"}:
        raise _UnfitError("must be https://")
    if port == 0 or not is_well_formed(host) or "\\" in parts.netloc:
        raise _UnfitError("does not name a host")
    if parts.username is not None:
        raise _UnfitError("must not have a user name")
    return parts


def _joined(current: str, location: str | None, redirects: int) -> str:
    if redirects >= MOST_REDIRECTS:
        raise _UnfitError(f"follows {MOST_REDIRECTS} others")
    if not location:
        raise _UnfitError("does not say where to")
    try:
        # The parser silently drops characters that it does not accept.
        return urljoin(current, location) if not re.search(_UNPRINTABLE, location) else ""
    except ValueError:
        raise _UnfitError("leads to something that is not a URL") from None
