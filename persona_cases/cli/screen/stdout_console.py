"""Stdout as rich writes to it."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich.console import Console

__all__ = ["StdoutConsole"]


class StdoutConsole(Console):
    """Stdout for rich, where a reader that goes away is the same error as everywhere else."""

    def __init__(self) -> None:
        super().__init__(file=sys.stdout)

    def on_broken_pipe(self) -> NoReturn:
        """Raise what happened, in place of rich's own way to end the program."""
        raise BrokenPipeError
