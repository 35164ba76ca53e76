"""The work of `export`."""

from __future__ import annotations

import sys
import time
from contextlib import aclosing
from typing import Final

import attrs
import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options import Connection, FileShape, Selection, Walk
from persona_cases.cli.output import stdout_bytes
from persona_cases.cli.progress import shown_progress, summary
from persona_cases.cli.selection import names, predicate, searching, sort_order
from persona_cases.cli.terminal import is_terminal, visible
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError
from persona_cases.export import Column, columns_from
from persona_cases.export.columns.choice import ColumnChoice, sparse_names
from persona_cases.export.formats.opening import check_available
from persona_cases.export.formats.target import Compression, FileFormat, Target
from persona_cases.export.runner import ExportProgress, FileExport, OnProgress
from persona_cases.export.spool import is_unfinished

__all__ = ["DEFAULT_ORDER", "Export", "export_cases"]

DEFAULT_ORDER: Final = "created_at:asc"

_STDOUT: Final = "-"
_LINES: Final = (None, FileFormat.JSON_LINES)
_UNCOMPRESSED: Final = (None, Compression.NONE)


@attrs.frozen(kw_only=True)
class Export:
    """What to export, and where to.

    Attributes:
        path: the file; `-` for stdout.
        selection: which cases.
        shape: what to write of them, and how.
        limit: the most cases to export.
    """

    path: str
    selection: Selection
    shape: FileShape
    limit: int | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether stdout is where the cases go."""
        return self.path == _STDOUT

    @property
    def in_lines(self) -> bool:
        """Whether they go there a line each, as they come."""
        return self.to_stdout and self.shape.format in _LINES and self.shape.compression in _UNCOMPRESSED

    async def run(self, persona: PersonaClient, on_progress: OnProgress) -> ExportProgress:
        """Write the cases."""
        where, fields = self.selection, names(self.shape.fields, "--fields")
        target = self._target()
        columns = await self._declared(persona)
        if self.to_stdout:
            loaded = None if fields is None else sparse_names(fields)
            ordered = attrs.evolve(where, sort=where.sort or DEFAULT_ORDER)
            pager = searching(persona, ordered, loaded, Walk(limit=self.limit))
            export = FileExport(target=target, output=_Stdout(), choice=ColumnChoice.of(fields, columns))
            async with aclosing(pager.pages()) as pages:
                return await export.run(pages, on_progress)
        return await persona.cases.export(
            predicate(where),
            self.path,
            sort=sort_order(where),
            fields=fields,
            limit=self.limit,
            on_progress=on_progress,
            format=target.format.value,
            compression=target.compression.value,
            columns=columns,
            restart=self.shape.restart,
        )

    async def _declared(self, persona: PersonaClient) -> tuple[Column, ...]:
        template = self.shape.columns_from
        return () if template is None else columns_from(await persona.case_templates.get(template))

    def _target(self) -> Target:
        target = Target.of(self.path, self.shape.format, self.shape.compression)
        if self.to_stdout and not target.is_stream:
            raise InvalidArgumentError(
                f"{target.format} can not go to stdout, since it is not written from front to back"
            )
        check_available(target)
        return target


async def export_cases(export: Export, connection: Connection) -> ExitCode:
    """Export cases, and show the progress on stderr."""
    # A live line and lines of data on one terminal would get into each other's way, and so would logs.
    live = not connection.verbose and not (export.to_stdout and is_terminal(sys.stdout))
    async with connected(connection) as there:
        started = time.monotonic()
        try:
            with shown_progress(there.limiter, export.limit, live=live) as on_progress:
                done = await export.run(there.persona, on_progress)
        except BaseException:
            if not export.to_stdout and is_unfinished(export.path):
                typer.echo(
                    "what was fetched is kept: the same command goes on from there, --restart starts over", err=True
                )
            raise
        where = "stdout" if export.to_stdout else visible(export.path)
        typer.echo(summary(done, where, time.monotonic() - started), err=True)
    return ExitCode.OK


class _Stdout:
    """Stdout that passes on every page at once, so that the reader of a pipe has it."""

    def __init__(self) -> None:
        self._stream = stdout_bytes()
        self.size = 0

    def write(self, data: bytes, /) -> None:
        """Append bytes."""
        self._stream.write(data)
        self._stream.flush()
        self.size += len(data)

    def commit(self) -> None:
        """Everything is there already."""

    def discard(self) -> None:
        """What was passed on can not be taken back."""
