"""The work of `export`."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable

import attrs
import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options import Connection, Selection, Walk
from persona_cases.cli.output import stdout_bytes
from persona_cases.cli.progress import shown_progress, summary
from persona_cases.cli.selection import names, predicate, searching, sort_order
from persona_cases.cli.terminal import is_terminal, visible
from persona_cases.client import PersonaClient
from persona_cases.export.runner import ExportProgress, OnProgress, write_json_lines

__all__ = ["Export", "export_cases"]

_STDOUT = "-"


@attrs.frozen(kw_only=True)
class Export:
    """What to export, and where to.

    Attributes:
        path: the file; `-` for stdout.
        selection: which cases.
        limit: the most cases to export.
        fields: the attributes to export, with commas between them.
    """

    path: str
    selection: Selection
    limit: int | None = None
    fields: str | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether stdout is where the cases go."""
        return self.path == _STDOUT

    def run(self, persona: PersonaClient, on_progress: OnProgress) -> Awaitable[ExportProgress]:
        """Write the cases."""
        where, fields = self.selection, names(self.fields, "--fields")
        if self.to_stdout:
            pager = searching(persona, where, fields, Walk(limit=self.limit))
            return write_json_lines(pager.pages(), _Stdout(), on_progress)
        return persona.cases.export(
            predicate(where),
            self.path,
            sort=sort_order(where),
            fields=fields,
            limit=self.limit,
            on_progress=on_progress,
        )


async def export_cases(export: Export, connection: Connection) -> ExitCode:
    """Export cases, and show the progress on stderr."""
    # A live line and lines of data on one terminal would get into each other's way, and so would logs.
    live = not connection.verbose and not (export.to_stdout and is_terminal(sys.stdout))
    async with connected(connection) as there:
        started = time.monotonic()
        with shown_progress(there.limiter, export.limit, live=live) as on_progress:
            done = await export.run(there.persona, on_progress)
        where = "stdout" if export.to_stdout else visible(export.path)
        typer.echo(summary(done, where, time.monotonic() - started), err=True)
    return ExitCode.OK


class _Stdout:
    """Stdout that passes on every page at once, so that the reader of a pipe has it."""

    def __init__(self) -> None:
        self._stream = stdout_bytes()

    def write(self, data: bytes, /) -> None:
        """Append bytes."""
        self._stream.write(data)
        self._stream.flush()
