"""The client of an application, open from its start to its end."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any, Final

from persona_cases import PersonaClient

__all__ = ["opened_client"]

# A service loads models when it starts, so that no request waits for that.
import_module("persona_cases.models.decoding.decode")

# These belong to an event loop, and modules are imported before there is one.
_MADE_ON_LOOP: Final = ("session", "limiter", "creation_limiter")


@asynccontextmanager
async def opened_client(options: Mapping[str, Any]) -> AsyncGenerator[PersonaClient]:
    """Open a client, and at the end close it and the objects that were created for it.

    Args:
        options: arguments of `PersonaClient`. `session`, `limiter` and `creation_limiter` may be functions that return
            them.
    """
    async with AsyncExitStack() as stack:
        made = dict(options)
        for name in _MADE_ON_LOOP:
            if callable(made.get(name)):
                made[name] = made[name]()
                if isinstance(made[name], AbstractAsyncContextManager):
                    await stack.enter_async_context(made[name])
        yield await stack.enter_async_context(PersonaClient(**made))
