"""`Network`: how requests reach other machines: through which proxy, and with which trusted certificates."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs
from aiohttp import encode_basic_auth
from yarl import URL

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.hosts import is_loopback
from persona_cases.protocol.addresses.proxies import Proxy, read_proxy

__all__ = ["Network", "Trust", "Way", "environment_allows_http", "trusted_by"]

Trust = ssl.SSLContext | str | os.PathLike[str]
"""An SSL context, or the path of a file (or directory) with the certificates of the authorities to trust."""

_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})


@attrs.frozen(repr=False)
class Way:
    """How a request reaches its destination.

    Attributes:
        settings: arguments for aiohttp.
        headers: headers for the proxy.
    """

    settings: Mapping[str, Any] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)

    @property
    def by_proxy(self) -> bool:
        """Whether it leads through a proxy."""
        return "proxy" in self.settings


class Network:
    """The network settings of every request, to the API and to file hosts.

    Args:
        url: the base URL of the API, whose proxy is determined immediately.
        trust: which certificates to trust. Default: those of `PERSONA_CA_FILE`, or else the system's.
        proxy: the proxy for all requests.
        trust_env: whether to take proxies from the environment if none is given. Requests to this machine never use one
            of these.
        lent: whether requests to the API use a borrowed session, which reads the environment itself.

    Raises:
        InvalidArgumentError: if a setting from any source is invalid.
    """

    def __init__(self, url: str, *, trust: Trust | None, proxy: str | None, trust_env: bool, lent: bool) -> None:
        try:
            self._proxy = None if proxy is None else read_proxy(proxy, "proxy")
        finally:
            # A traceback may be shown with the locals of its frames.
            del proxy
        self._ssl = _context(trust)
        self._environment = getproxies() if trust_env and self._proxy is None else {}
        self._api: Final = self._way(url, self._proxy if lent else self._proxy_for(url))

    @property
    def way_to_api(self) -> Way:
        """How a request reaches the API."""
        return self._api

    def way_to(self, url: str) -> Way:
        """Return how a request reaches a URL.

        Raises:
            InvalidArgumentError: if the environment names an invalid proxy for it.
        """
        return self._way(url, self._proxy_for(url))

    def _way(self, url: str, proxy: Proxy | None) -> Way:
        trust = {"ssl": True if self._ssl is None else self._ssl}
        if proxy is None:
            return Way(trust)
        if proxy.user is None:
            return Way({**trust, "proxy": URL(proxy.url)})
        credentials = {"Proxy-Authorization": encode_basic_auth(proxy.user, proxy.password)}
        # A proxy that tunnels gets a separate request for the tunnel; others read the request itself.
        tunnel = url.startswith("https:")
        return Way(
            {**trust, "proxy": URL(proxy.url), "proxy_headers": credentials if tunnel else None},
            {} if tunnel else credentials,
        )

    def _proxy_for(self, url: str) -> Proxy | None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._proxy is not None or not self._environment or is_loopback(host) or proxy_bypass(host):
            return self._proxy
        name = next((name for name in (parts.scheme, "all") if self._environment.get(name)), None)
        if name is None:
            return None
        return read_proxy(self._environment[name], f"{name.upper()}_PROXY in the environment")


def trusted_by(trust: object, source: str) -> ssl.SSLContext:
    """Return an SSL context for an `ssl` setting.

    Args:
        trust: the setting.
        source: the argument or environment variable that it comes from, for the message.

    Raises:
        InvalidArgumentError: if it is not such a setting, or a file without certificates.
    """
    if isinstance(trust, ssl.SSLContext):
        if trust.protocol is ssl.PROTOCOL_TLS_SERVER:
            raise InvalidArgumentError(f"{source}: the context is for servers: use ssl.create_default_context()")
        return trust
    if not isinstance(trust, (str, os.PathLike)) or not os.fspath(trust):
        raise InvalidArgumentError(f"{source} must be an ssl.SSLContext or the path of a CA file in PEM format")
    path = cast("str | os.PathLike[str]", trust)
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        problem = "holds no certificates in PEM format"
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not a path'}"
    raise InvalidArgumentError(f"{source}: the CA file {problem}")


def environment_allows_http() -> bool:
    """Return whether `PERSONA_ALLOW_HTTP` allows a base URL with plain http.

    Raises:
        InvalidArgumentError: if it is neither 1 nor 0.
    """
    said = os.environ.get("PERSONA_ALLOW_HTTP", "").strip().lower()
    if said not in _YES | _NO:
        raise InvalidArgumentError("PERSONA_ALLOW_HTTP in the environment must be 1 or 0")
    return said in _YES


def _context(trust: Trust | None) -> ssl.SSLContext | None:
    if trust is not None:
        return trusted_by(trust, "ssl")
    path = os.environ.get("PERSONA_CA_FILE")
    return trusted_by(path, "PERSONA_CA_FILE in the environment") if path else None
