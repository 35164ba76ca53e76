"""Hooks: functions around each sending of a request, like the layers of an onion.

A hook sees every attempt, after the rate limit has let it pass and before its outcome is judged: error statuses
arrive as responses, lost connections as `TransportError`. It may look, change the request's headers, measure, or
answer by itself. It never sees the API key, which is added below all hooks.

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
"""Sends the request on, through the inner hooks to the network."""

Hook = Callable[[Request, Next], Awaitable[Response]]
"""An async function that gets a request and what sends it on, and returns the response."""


def check_hooks(hooks: object) -> tuple[Hook, ...]:
    """Check hooks when they are given, not when they are first called.

    Raises:
        InvalidArgumentError: if one is not an async callable of two arguments.
    """
    if callable(hooks) or not isinstance(hooks, Iterable):
        raise InvalidArgumentError("hooks must be a sequence of async functions, such as hooks=[my_hook]")
    return tuple(_checked(hook) for hook in cast("Iterable[object]", hooks))


def compose(hooks: tuple[Hook, ...], innermost: Next) -> Next:
    """Return one function that passes a request through all hooks, the first outermost."""
    send = innermost
    for hook in reversed(hooks):
        send = partial(_around, hook, send)
    return send


async def _around(hook: Hook, call_next: Next, request: Request) -> Response:
    return await hook(request, call_next)


def _checked(hook: object) -> Hook:
    name = getattr(hook, "__qualname__", type(hook).__qualname__)
    if not callable(hook):
        raise InvalidArgumentError(f"hooks: {name} is not callable: pass async functions of (request, call_next)")
    if not (inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__)):
        raise InvalidArgumentError(f"hooks: {name} is not async: define it with `async def`")
    try:
        inspect.signature(hook).bind(None, None)
    except TypeError:
        raise InvalidArgumentError(f"hooks: {name} must take two arguments: request and call_next") from None
    return cast("Hook", hook)
