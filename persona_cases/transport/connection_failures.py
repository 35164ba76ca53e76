"""From aiohttp's errors to ours, without what aiohttp's errors carry along.

Their texts quote URLs, their attributes hold the request's headers, and whatever prints an exception's chain would
print both: the API key, and the personal data in a query. So nothing of them is kept but the reason.
"""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp
import attrs

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
    """An error after which aiohttp would repeat the request under another name; see `Departure`."""


def without_traces(error: BaseException, *, by_proxy: bool = False) -> BaseException:
    """Return what to raise, outside of the `except` block, for whatever passed through aiohttp.

    A traceback that keeps its locals would keep aiohttp's frames: the request's headers, its URL, the response.
    Errors of aiohttp's and of the system's are translated, and all others lose their traceback and what is behind them.

    Args:
        error: what was caught.
        by_proxy: whether the request went over a proxy.
    """
    if isinstance(error, (aiohttp.ClientError, OSError)) and not isinstance(error, PersonaError):
        return translated(error, by_proxy=by_proxy)
    if isinstance(error, (ValueError, TypeError, RuntimeError, LookupError)) and not isinstance(error, PersonaError):
        # Nothing of the text is kept: it may quote the URL or a header.
        return ConnectionFailedError(f"aiohttp failed with {type(error).__name__}")
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


@attrs.define
class Departure:
    """A middleware for aiohttp that sends a request once, whatever happens, and sees whether it left.

    aiohttp repeats GET, PUT and DELETE when the connection drops before a response. Attempts, middleware and
    the rate limit must see every request, so that error gets a name under which aiohttp lets it pass.

    Attributes:
        unsent: whether the request was given up before a byte of it left, while it waited for a connection.
    """

    unsent: bool = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request once."""
        try:
            return await handler(request)
        except BaseException as error:
            # aiohttp makes the response when it begins to write the request.
            self.unsent = request.response is None
            if isinstance(error, _NEVER_SENT) or not isinstance(error, _DROPPED):
                raise
            reason = _reason(error)
        raise ConnectionLostError(reason)


def translated(
    error: aiohttp.ClientError | OSError, *, by_proxy: bool = False
) -> TransportError | InvalidArgumentError:
    """Return our error for one of aiohttp's or of the system's, to be raised outside of its `except` block.

    Raised inside, it would have the original as its context.

    Args:
        error: what went wrong.
        by_proxy: whether the request was to go over a proxy, which then is what a name is looked up for.
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
    # Nothing but words of the system's own: the texts that come with errors name hosts and URLs. The numbers of
    # resolvers are not those of the system.
    if isinstance(error, socket.gaierror):
        return ""
    if isinstance(error, ssl.SSLError):
        # Errors that were not made by OpenSSL lack both.
        said = getattr(error, "verify_message", None) or getattr(error, "reason", None)
        return f": {said}" if said else ""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return f": {os.strerror(error.errno)}"
    return ""
