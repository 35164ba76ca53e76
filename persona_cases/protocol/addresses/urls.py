"""The base URL, and ids as path segments."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.hosts import is_loopback, is_public, is_well_formed
from persona_cases.protocol.message import QueryPairs

# Compiled when needed, because a range of surrogates takes a millisecond.
_UNSAFE_IN_SEGMENT = r"[\x00-\x20/?#%\\\x7f\ud800-\udfff]"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_VENDOR = ".withpersona.com"


class BaseURL(msgspec.Struct, frozen=True):
    """The base URL of the API: the only origin that receives the API key.

    Attributes:
        url: scheme, host, port and path prefix, without a slash at the end.
    """

    url: str

    @classmethod
    def parse(cls, value: object, *, allow_http: bool = False) -> BaseURL:
        """Check a base URL.

        Args:
            value: the URL.
            allow_http: whether it may be plain http to another machine.

        Raises:
            InvalidArgumentError: if it is not an absolute http(s) URL, carries a query, a fragment or credentials,
                lacks the path of the vendor's API, or would send the API key readable over a network.
        """
        if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
            raise _bad_base_url("must be a URL in ASCII without white space")
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _bad_base_url("is not a URL") from None
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise _bad_base_url("must start with https:// and name a host")
        if port == 0 or not is_well_formed(host):
            raise _bad_base_url("must name a host that can exist")
        if "\\" in value or parts.query or parts.fragment or parts.username is not None:
            raise _bad_base_url("must have no query, fragment or credentials")
        if not is_confidential(value) and not allow_http:
            raise InvalidArgumentError(
                "base_url (or PERSONA_BASE_URL) is http:// and leads to another machine, so anyone on the network "
                "could read the API key: use https://, or pass allow_http=True (PERSONA_ALLOW_HTTP=1, --allow-http) "
                "for a "
                "simulator in a network of your own"
            )
        if f".{host}".endswith(_VENDOR) and not parts.path.strip("/"):
            raise _bad_base_url("has no path: the API is below /api/v1")
        return cls(value.rstrip("/"))

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        """Scheme, host and port."""
        return origin_of(urlsplit(self.url))


def is_confidential(url: str) -> bool:
    """Return whether requests to a URL cannot be read on the network: https, or a URL on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def is_local(url: str) -> bool:
    """Return whether the host of a URL is a literal address of this machine or of a private network."""
    return not is_public(urlsplit(url).hostname or "")


def origin_of(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Return the scheme, host and port of a URL."""
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def server_of(url: str) -> tuple[str, int]:
    """Return the host and port of a checked URL."""
    _, host, port = origin_of(urlsplit(url))
    return host or "", port or _DEFAULT_PORTS["https"]


def query_string(query: QueryPairs) -> str:
    """Return query parameters as they are sent, percent-encoded."""
    return "&".join([f"{_encoded(name)}={_encoded_value(value)}" for name, value in query]) if query else ""


def segment(value: object, argument: str) -> str:
    """Return an id as one path segment, percent-encoded.

    The form of ids is not checked, because the vendor may change it (https://docs.withpersona.com/versioning). Only
    characters that would leave the segment raise.

    Raises:
        InvalidArgumentError: if it is empty, not a string, or would reach another path.
    """
    if isinstance(value, str) and _is_word(value):
        return value
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"{argument} must be a non-empty string, such as 'case_…'")
    if value in {".", ".."} or re.search(_UNSAFE_IN_SEGMENT, value):
        raise InvalidArgumentError(f"{argument} must be a bare id, without '/', '?', '#', '%' or white space")
    return quote(value, safe="")


@lru_cache
def _encoded(name: str) -> str:
    return quote(name, safe="")


def _encoded_value(value: str) -> str:
    return value if _is_word(value) else quote(value, safe="")


def _is_word(text: str) -> bool:
    # As nearly all ids are. A regular expression takes twice as long.
    return text.isascii() and (text.isidentifier() or text.isalnum())


def _bad_base_url(problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"base_url (or PERSONA_BASE_URL) {problem}, such as https://api.withpersona.com/api/v1")
