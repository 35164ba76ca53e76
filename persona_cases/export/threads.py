"""Blocking work off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from persona_cases.errors import DecodeError

__all__ = ["off_loop"]

P = ParamSpec("P")
T = TypeVar("T")


async def off_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a thread, and wait until it is done.

    A thread cannot be cancelled. If the task is cancelled, the cancellation takes effect after the thread has ended, so
    that no file is closed while the thread still writes to it.
    """
    # A bare future, not a task: cancelling all tasks, as the end of `asyncio.run` does, must not cancel it.
    step = partial(contextvars.copy_context().run, partial(work, *args, **kwargs))
    thread = asyncio.get_running_loop().run_in_executor(None, step)
    del step, args, kwargs
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        while not thread.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({thread})
        # Retrieve the error, so that asyncio does not report it. The cancellation takes precedence.
        thread.exception()
        raise
    except (DecodeError, OSError) as error:
        # The frames of the thread hold raw cases, which a traceback must not show.
        failure = error.with_traceback(None)
    raise failure
