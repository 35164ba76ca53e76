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

    Attributes:
        loop: the loop; None before the first.
    """

    __slots__ = ("_process", "loop")

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def enter(self) -> bool:
        """Make the running loop the home loop, and return whether it is a new one.

        Raises:
            ClientStateError: if another loop is still running in another thread.
        """
        loop = asyncio.get_running_loop()
        if self.loop is loop:
            return False
        if self.loop is not None and self.loop.is_running() and self._process == os.getpid():
            raise ClientStateError(
                "the limiter is in use in another event loop that is still running: make one for each loop, or share a "
                "RedisLimiter's environment"
            )
        self.loop, self._process = loop, os.getpid()
        return True
