"""The event loop that a limiter is used in: one after another, never two at a time."""

from __future__ import annotations

import asyncio
import os

import attrs

from persona_cases.errors import ClientStateError

__all__ = ["HomeLoop"]


@attrs.define
class HomeLoop:
    """The event loop that something is used in.

    A limiter may outlive a loop (one `asyncio.run` after another), and be copied into another process by a fork. What
    it holds of the loop may not.
    """

    _loop: asyncio.AbstractEventLoop | None = None
    _process: int = 0

    @property
    def known(self) -> bool:
        """Whether there was a loop yet."""
        return self._loop is not None

    @property
    def is_here(self) -> bool:
        """Whether the running loop is the one."""
        return self._loop is asyncio.get_running_loop()

    def enter(self) -> bool:
        """Take in the running loop, and return whether it is a new one.

        Raises:
            ClientStateError: if another one still runs, in another thread.
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
