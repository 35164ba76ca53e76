"""The progress and the outcome of a change of many cases."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from persona_cases.cli.options.option_groups import Format
from persona_cases.cli.screen.export_progress import budget
from persona_cases.cli.screen.output import json_writer
from persona_cases.cli.screen.terminal import is_terminal, visible
from persona_cases.export.wording import plural
from persona_cases.resources.changing.change_report import ChangeProgress, ChangeReport, ChangeRow
from persona_cases.transport.limits.limiter import Limiter

__all__ = ["ShownChanges", "show_rows"]

_SECONDS_BETWEEN_LINES: Final = 5.0
_MOST_ROWS: Final = 20
_FINE: Final = frozenset({"changed", "unchanged"})


class ShownChanges:
    """Shows progress on stderr: a live line on a terminal, a plain line every few seconds in a log.

    Nothing is drawn before the first row has ended, so that a question can be asked first.

    Args:
        limiter: the limiter whose budget is shown.
        live: whether to draw a live line if stderr is a terminal.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, limiter: Limiter, *, live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = limiter
        self._clock = clock
        self._said = clock()
        self._bar: Progress | None = None
        if live and is_terminal(sys.stderr):
            columns = (SpinnerColumn(), BarColumn(bar_width=10), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: ChangeProgress) -> None:
        """Take in progress."""
        counts = f"{done.done:,} of {plural(done.total, 'case')}, {done.failed:,} failed"
        text = f"{counts}; {budget(self._limiter.state)}"
        if self._bar is not None:
            if not self._bar.tasks:
                self._bar.add_task(text, total=done.total)
                self._bar.start()
            self._bar.update(self._bar.task_ids[0], completed=done.done, description=text)
        elif self._clock() - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = self._clock()
            typer.echo(text, err=True)


def show_rows(report: ChangeReport, form: Format | None) -> None:
    """Print the rows of a report to stdout.

    Args:
        report: the report.
        form: the form; by default JSON Lines in a pipe, and on a terminal the rows that need a look (all of a dry run).
    """
    if form is None and is_terminal(sys.stdout):
        rows = [row for row in report.rows if report.dry_run or row.outcome not in _FINE]
        shown = rows if report.dry_run else rows[:_MOST_ROWS]
        _print_lines(shown)
        if len(rows) > len(shown):
            typer.echo(f"and {len(rows) - len(shown):,} more: --output jsonl prints all")
    elif form is Format.TABLE:
        _print_lines(report.rows)
    else:
        writer = json_writer(form or Format.JSONL, _as_json)
        writer.write(report.rows)
        writer.finish()


def _print_lines(rows: Iterable[ChangeRow]) -> None:
    for row in rows:
        typer.echo(visible(f"{row.case_id}  {row.outcome:<13}  {row.reason or ''}".rstrip()))


def _as_json(row: ChangeRow) -> bytes:
    return msgspec.json.encode(row.to_dict())
