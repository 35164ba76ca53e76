"""Proxies from settings and environment variables."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.hosts import authority, is_well_formed

__all__ = ["Proxy", "read_proxy"]


@attrs.frozen
class Proxy:
    """A proxy and its credentials.

    Attributes:
        url: scheme, host and port.
        user: the user name; None if there is none.
        password: the password, never shown.
    """

    url: str
    user: str | None = attrs.field(default=None, repr=False)
    password: str = attrs.field(default="", repr=False)


def read_proxy(value: object, source: str) -> Proxy:
    """Read the URL of a proxy.

    Args:
        value: the URL, such as `http://user:password@proxy.example.com:3128`.
        source: the argument or the environment variable that it comes from, for the message.

    Raises:
        InvalidArgumentError: if it is not the URL of an HTTP proxy. The message does not show it, because it may hold
            a password.
    """
    try:
        return _read(value, source)
    except InvalidArgumentError as error:
        problem = error.with_traceback(None)
    finally:
        # A traceback may be shown with the locals of its frames.
        del value
    raise problem


def _read(value: object, source: str) -> Proxy:
    if not isinstance(value, str) or not value.isprintable() or any(map(str.isspace, value)):
        raise _unusable(source, "is not a URL in plain text")
    if "://" not in value:
        raise _unusable(source, "has no scheme")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unusable(source, "is not a URL") from None
    if parts.scheme not in {"http", "https"}:
        raise _unusable(source, "has a scheme other than http and https, and no other kind of proxy is supported")
    if not host or port == 0 or not is_well_formed(host):
        raise _unusable(source, "does not name a host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _unusable(source, "has more than a host and a port")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if ":" in user:
        raise _unusable(source, "has a user name with a colon")
    return Proxy(f"{parts.scheme}://{authority(host, port)}", user if parts.username is not None else None, password)


def _unusable(source: str, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{source} {problem}: write it as http://host:port")
