"""Middleware: functions that wrap each attempt, like the layers of an onion.

A middleware sees every attempt after the wait for the rate limit and before any retry. Error statuses arrive as
responses, lost connections as `TransportError`. It can change the request's headers, measure time, or respond itself.
It never sees the API key, which is added below all middleware.

.. code-block:: python

    async def timing(request: Request, call_next: Next) -> Response:
        started = time.monotonic()
        response = await call_next(request)
        print(request.method, request.path, response.status, time.monotonic() - started)
        return response
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.message import Request, Response

Next = Callable[[Request], Awaitable[Response]]
"""Passes the request on, through the inner middleware to the network."""

Middleware = Callable[[Request, Next], Awaitable[Response]]
"""An async function that takes a request and the next function to call, and returns the response."""


def check_middleware(middleware: object) -> tuple[Middleware, ...]:
    """Check middleware when the caller passes them, not when they are first called.

    Raises:
        InvalidArgumentError: if one is not an async callable of two arguments.
    """
    if callable(middleware) or not isinstance(middleware, Iterable):
        raise InvalidArgumentError("middleware must be a sequence of async functions, such as [my_middleware]")
    return tuple(_checked(each) for each in cast("Iterable[object]", middleware))


def compose(middleware: tuple[Middleware, ...], innermost: Next) -> Next:
    """Return one function that passes a request through all middleware, the first outermost."""
    send = innermost
    for each in reversed(middleware):
        send = partial(_around, each, send)
    return send


async def _around(middleware: Middleware, call_next: Next, request: Request) -> Response:
    return await middleware(request, call_next)


def _checked(middleware: object) -> Middleware:
    name = getattr(middleware, "__qualname__", type(middleware).__qualname__)
    if not callable(middleware):
        raise InvalidArgumentError(f"middleware: {name} is not callable: pass async functions of (request, call_next)")
    if not (inspect.iscoroutinefunction(middleware) or inspect.iscoroutinefunction(type(middleware).__call__)):
        raise InvalidArgumentError(f"middleware: {name} is not async: define it with `async def`")
    try:
        inspect.signature(middleware).bind(None, None)
    except TypeError:
        raise InvalidArgumentError(f"middleware: {name} must take two arguments: request and call_next") from None
    return cast("Middleware", middleware)
