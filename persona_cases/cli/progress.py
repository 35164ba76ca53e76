"""Showing how far an export has come: a live line for people, a plain line now and then for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.text import Text

from persona_cases.cli.quantities import duration, plural, size
from persona_cases.cli.terminal import is_terminal
from persona_cases.export.runner import ExportProgress, OnProgress
from persona_cases.paging import LARGEST_PAGE
from persona_cases.transport.limiter import LocalLimiter

__all__ = ["PlainLines", "budget", "shown_progress", "summary"]

_SECONDS_BETWEEN_LINES = 5.0


def shown_progress(limiter: LocalLimiter, limit: int | None, *, live: bool) -> AbstractContextManager[OnProgress]:
    """Show progress on stderr for as long as the context lasts.

    Args:
        limiter: whose budget to show.
        limit: the most cases there can be, if that is known.
        live: whether a line that changes may be drawn, provided that stderr is a terminal.
    """
    if live and is_terminal(sys.stderr):
        return LiveLine(Console(stderr=True), limiter, limit)
    return nullcontext(PlainLines(time.monotonic))


def summary(done: ExportProgress, where: str, seconds: float) -> str:
    """Return the line that closes an export."""
    return f"exported {_counts(done)} ({size(done.size)}) to {where} in {duration(seconds)}"


def budget(limiter: LocalLimiter) -> str:
    """Return how many requests the rate limit has left, and for how many seconds."""
    left = limiter.seconds_left
    if left is None:
        return f"{limiter.limit:,} left"
    if limiter.remaining == 0:
        return f"rate limit: wait {left:.0f} s"
    return f"{limiter.remaining:,}/{limiter.limit:,} left, {left:.0f} s"


class PlainLines:
    """Says now and then how far it is, on lines of their own.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._said = clock()

    def __call__(self, done: ExportProgress) -> None:
        """Take in progress, and say it if nothing was said for a while."""
        now = self._clock()
        if now - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now
            typer.echo(f"exported {_counts(done)}", err=True)


class LiveLine:
    """One line that keeps itself current and is gone at the end.

    Args:
        console: where to draw it.
        limiter: whose budget to show.
        limit: the most cases there can be, if that is known.
    """

    def __init__(self, console: Console, limiter: LocalLimiter, limit: int | None) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=10),
            _Told(lambda task: f"{task.completed:,.0f} cases"),
            _Told(lambda task: f"{task.fields['pages']:,} pages"),
            _Told(_speed),
            # Asked at every drawing, since the budget changes while an export waits for it.
            _Told(lambda _: budget(limiter)),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("export", total=limit, pages=0)

    def __enter__(self) -> OnProgress:
        self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, done: ExportProgress) -> None:
        total = None if done.pages_left is None else done.cases + LARGEST_PAGE * done.pages_left
        self._progress.update(self._task, completed=done.cases, pages=done.pages, total=total)


class _Told(ProgressColumn):
    """A column of words.

    Args:
        tell: what to say of the export.
    """

    def __init__(self, tell: Callable[[Task], str]) -> None:
        super().__init__()
        self._tell = tell

    def render(self, task: Task) -> Text:
        """Draw it."""
        return Text(self._tell(task), no_wrap=True)


def _speed(task: Task) -> str:
    elapsed = task.elapsed
    return f"{task.completed / elapsed:,.0f}/s" if elapsed else ""


def _counts(done: ExportProgress) -> str:
    return f"{plural(done.cases, 'case')} in {plural(done.pages, 'page')}"
