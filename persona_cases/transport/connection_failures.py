"""Conversion of aiohttp's errors to ours, without the data in aiohttp's errors.

Their messages quote URLs and their attributes hold the request's headers. Code that prints an exception's chain would
print both: the API key, and the personal data in a query. So only the reason is kept.
"""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp
import msgspec

from persona_cases.errors import (
    ConnectionFailedError,
    InvalidArgumentError,
    PersonaError,
    RequestTimeoutError,
    TransportError,
)

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ConnectionTimeoutError,
)
_DROPPED = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

_PROXY = "check proxy=, or HTTPS_PROXY and NO_PROXY in the environment"


class ConnectionLostError(aiohttp.ClientError):
    """An error after which aiohttp would repeat the request, under another name; see `Departure`."""


def without_traces(error: BaseException, *, by_proxy: bool = False) -> BaseException:
    """Return the error to raise, outside the `except` block, for an error that passed through aiohttp.

    A traceback keeps the locals of aiohttp's frames: the request's headers, its URL, the response. So errors of aiohttp
    and of the system are translated, and all others lose their traceback and context.

    Args:
        error: the caught error.
        by_proxy: whether the request went through a proxy.
    """
    if isinstance(error, (aiohttp.ClientError, OSError)) and not isinstance(error, PersonaError):
        return translated(error, by_proxy=by_proxy)
    if isinstance(error, (ValueError, TypeError, RuntimeError, LookupError)) and not isinstance(error, PersonaError):
        # The message is dropped, because it may quote the URL or a header.
        return ConnectionFailedError(f"aiohttp failed with {type(error).__name__}")
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class Departure(msgspec.Struct):
    """A middleware for aiohttp that sends a request exactly once, and observes whether it was sent.

    aiohttp repeats GET, PUT and DELETE when the connection drops before a response. But attempts, middleware and the
    rate limit must see every request, so that error gets a class for which aiohttp does not repeat the request.

    Attributes:
        unsent: whether the request was abandoned before a byte of it was sent, while it waited for a connection.
    """

    unsent: bool = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request once."""
        try:
            return await handler(request)
        except BaseException as error:
            # aiohttp creates the response when it begins to write the request.
            self.unsent = request.response is None
            if isinstance(error, _NEVER_SENT) or not isinstance(error, _DROPPED):
                raise
            reason = _reason(error)
        raise ConnectionLostError(reason)


def translated(
    error: aiohttp.ClientError | OSError, *, by_proxy: bool = False
) -> TransportError | InvalidArgumentError:
    """Return our error for an error of aiohttp or the system, to raise outside the `except` block.

    Inside the block, the original would become its context.

    Args:
        error: the original error.
        by_proxy: whether the request was to go through a proxy, so that only the proxy's name is resolved.
    """
    if isinstance(error, ConnectionLostError):
        return ConnectionFailedError(f"the connection was lost before a response came{error}")
    if by_proxy and isinstance(error, aiohttp.ClientConnectorDNSError):
        return ConnectionFailedError(f"the name of the proxy could not be resolved: {_PROXY}", sent=False)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ConnectionFailedError(f"the proxy could not be reached{_reason(error.os_error)}: {_PROXY}", sent=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectionFailedError(f"{_step(error)}{_reason(error.os_error)}", sent=False)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return RequestTimeoutError("no connection within the timeout", sent=False)
    if isinstance(error, TimeoutError):
        return RequestTimeoutError("no complete response within the timeout")
    if isinstance(error, aiohttp.RedirectClientError):
        return ConnectionFailedError("the server redirected to something that cannot be requested")
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidArgumentError("base_url is no URL that can be requested")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        wish = " and wants a user name and a password" if error.status == 407 else ""
        said = f"the proxy refused the connection with status {error.status}{wish}"
        return ConnectionFailedError(f"{said}: {_PROXY}", sent=False)
    if isinstance(error, aiohttp.ClientResponseError):
        return ConnectionFailedError("the response is not readable HTTP")
    return ConnectionFailedError(f"the connection broke before the whole response was read{_reason(error)}")


def _step(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name of the host could not be resolved"
    if isinstance(error.os_error, ssl.SSLError):
        return "no TLS connection could be made"
    return "the connection could not be made"


def _reason(error: BaseException) -> str:
    # Only the system's own descriptions, because error messages name hosts and URLs. The error numbers of resolvers are
    # not the system's.
    if isinstance(error, socket.gaierror):
        return ""
    if isinstance(error, ssl.SSLError):
        # Errors that do not come from OpenSSL lack both.
        said = getattr(error, "verify_message", None) or getattr(error, "reason", None)
        return f": {said}" if said else ""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return f": {os.strerror(error.errno)}"
    return ""
