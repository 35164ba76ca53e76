"""The progress of an export: one live line on a terminal, a plain line every few seconds in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.text import Text

from persona_cases.cli.screen.remaining_time import Estimate
from persona_cases.cli.screen.terminal import is_terminal
from persona_cases.export.progress import ExportProgress, OnProgress
from persona_cases.export.wording import plural
from persona_cases.paging import LARGEST_PAGE
from persona_cases.transport.limits.limiter import Limiter, LimiterState

__all__ = ["LiveLine", "PlainLines", "budget", "shown_progress", "time_left"]

_SECONDS_BETWEEN_LINES = 5.0


def shown_progress(limiter: Limiter, limit: int | None, *, live: bool) -> AbstractContextManager[OnProgress]:
    """Show progress on stderr for as long as the context lasts.

    Args:
        limiter: the limiter whose budget is shown.
        limit: the maximum number of cases, if known.
        live: whether to draw a live line if stderr is a terminal.
    """
    if live and is_terminal(sys.stderr):
        return LiveLine(Console(stderr=True), limiter, limit)
    return nullcontext(PlainLines(limiter, limit, time.monotonic))


def budget(state: LimiterState) -> str:
    """Return the requests that the rate limit has left, and for how many seconds."""
    left = state.resets_in
    if state.cooling_for > 0:
        return f"rate limit: wait {state.cooling_for:.0f} s"
    if left is None:
        return f"{state.limit:,} left"
    if state.remaining == 0:
        return f"rate limit: wait {left:.0f} s"
    return f"{state.remaining:,}/{state.limit:,} left, {left:.0f} s"


def time_left(seconds: float | None) -> str:
    """Return the time left in words."""
    if seconds is None:
        return "time left unknown"
    rounded = round(seconds)
    return f"{rounded} s to go" if rounded < 60 else f"{timedelta(seconds=rounded)} to go"


class PlainLines:
    """Prints a line about the progress every few seconds.

    Args:
        limiter: the limiter whose budget is shown.
        limit: the maximum number of cases, if known.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, limiter: Limiter, limit: int | None, clock: Callable[[], float]) -> None:
        self._limiter = limiter
        self._estimate = Estimate(limit)
        self._clock = clock
        self._said = clock()

    def __call__(self, done: ExportProgress) -> None:
        """Take in progress, and print it if the last line is old enough."""
        now, state = self._clock(), self._limiter.state
        self._estimate.observe(now, done, state)
        if now - self._said < _SECONDS_BETWEEN_LINES:
            return
        self._said = now
        counts = f"exported {plural(done.cases, 'case')} in {plural(done.pages, 'page')}{_files(done.files)}"
        parts = (counts, _rate(self._estimate.rate(now)), budget(state), time_left(self._estimate.time_left(now)))
        typer.echo("; ".join(filter(None, parts)), err=True)


class LiveLine:
    """One line that updates itself and disappears at the end.

    Args:
        console: where to draw the line.
        limiter: the limiter whose budget is shown.
        limit: the maximum number of cases, if known.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, console: Console, limiter: Limiter, limit: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limiter = limiter
        self._estimate = Estimate(limit)
        self._clock = clock
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=10),
            _Told(lambda task: f"{task.completed:,.0f} cases{_files(task.fields['files'])}"),
            # Computed at every refresh, because they change while an export waits for the rate limit.
            _Told(lambda _: _rate(self._estimate.rate(clock()))),
            _Told(lambda _: budget(limiter.state)),
            _Told(lambda _: time_left(self._estimate.time_left(clock()))),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("export", total=limit, files=0)

    def __enter__(self) -> OnProgress:
        self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, done: ExportProgress) -> None:
        self._estimate.observe(self._clock(), done, self._limiter.state)
        total = None if done.pages_left is None else done.cases + LARGEST_PAGE * done.pages_left
        self._progress.update(self._task, completed=done.cases, total=total, files=done.files)


class _Told(ProgressColumn):
    """A column of text.

    Args:
        tell: returns the text.
    """

    def __init__(self, tell: Callable[[Task], str]) -> None:
        super().__init__()
        self._tell = tell

    def render(self, task: Task) -> Text:
        """Draw it."""
        return Text(self._tell(task), no_wrap=True)


def _rate(cases: float | None) -> str:
    return "" if cases is None else f"{cases:,.0f} cases/s"


def _files(count: int) -> str:
    return f", {plural(count, 'attachment')}" if count else ""
