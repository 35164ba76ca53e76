"""The console of rich for stdout."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich.console import Console

__all__ = ["StdoutConsole"]


class StdoutConsole(Console):
    """Stdout for rich, which raises `BrokenPipeError` like any other stream if the reader leaves."""

    def __init__(self) -> None:
        super().__init__(file=sys.stdout)

    def on_broken_pipe(self) -> NoReturn:
        """Raise the error, instead of ending the program as rich does."""
        raise BrokenPipeError
