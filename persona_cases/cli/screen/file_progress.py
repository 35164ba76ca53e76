"""The progress of a download: one live line on a terminal, nothing in a log."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from persona_cases.cli.screen.terminal import is_terminal
from persona_cases.resources.reading.case_downloads import OnBytes

__all__ = ["Follow", "shown_file_progress"]

Follow: TypeAlias = Callable[[str], OnBytes | None]
"""Starts a file: takes its description, and returns the callback for its bytes."""


@contextlib.contextmanager
def shown_file_progress(*, live: bool) -> Generator[Follow]:
    """Show the progress of one file after another on stderr, as long as the context lasts.

    Args:
        live: whether to draw a live line if stderr is a terminal.
    """
    if not (live and is_terminal(sys.stderr)):
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("download", total=None)

        def follow(which: str) -> OnBytes:
            progress.reset(task, description=which, total=None)
            return lambda received, total: progress.update(task, completed=received, total=total)

        yield follow
