"""The event loop of a limiter: it may use several in sequence, but never two at a time."""

from __future__ import annotations

import asyncio
import os

from persona_cases.errors import ClientStateError

__all__ = ["HomeLoop"]


class HomeLoop:
    """The event loop in which an object is used.

    A limiter may outlive a loop (one `asyncio.run` after another), and a fork may copy it to another process. But the
    objects that it holds from the loop must not outlive the loop.
    """

    __slots__ = ("_loop", "_process")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    @property
    def known(self) -> bool:
        """Whether there has been a loop."""
        return self._loop is not None

    @property
    def is_here(self) -> bool:
        """Return whether the running loop is the home loop."""
        return self._loop is asyncio.get_running_loop()

    def enter(self) -> bool:
        """Make the running loop the home loop, and return whether it is a new one.

        Raises:
            ClientStateError: if another loop is still running in another thread.
        """
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return False
        if self._loop is not None and self._loop.is_running() and self._process == os.getpid():
            raise ClientStateError(
                "the limiter is in use in another event loop that is still running: make one for each loop, or share a "
                "RedisLimiter's environment"
            )
        self._loop, self._process = loop, os.getpid()
        return True
