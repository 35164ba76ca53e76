"""A question on the terminal that an event loop can wait for, and that Ctrl-C ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading

import typer

from persona_cases.cli.screen.terminal import is_terminal
from persona_cases.errors import InvalidArgumentError

__all__ = ["agreed", "check_can_ask"]


def check_can_ask(otherwise: str) -> None:
    """Check that there is a terminal to ask on.

    Raises:
        InvalidArgumentError: if there is none; the message is `otherwise`.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise InvalidArgumentError(otherwise)


async def agreed(question: str) -> bool:
    """Ask, and return whether the answer is yes."""
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def tell(line: bytes) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        # Not through `sys.stdin`, whose lock would be held at the end of a program that does not wait for the answer.
        line = os.read(sys.stdin.fileno(), 1024)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, line)

    threading.Thread(target=read, daemon=True).start()
    return (await answer).strip().lower() in {b"y", b"yes"}
