"""The work of `export`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

import attrs
import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.combinations import check_file
from persona_cases.cli.options.field_input import span_seconds
from persona_cases.cli.options.option_groups import Connection, FileShape, ReportForm, Selection
from persona_cases.cli.options.selection import attributes, predicate, sort_order
from persona_cases.cli.screen.export_progress import shown_progress
from persona_cases.cli.screen.output import stdout_bytes
from persona_cases.cli.screen.resume_command import how_to_resume
from persona_cases.cli.screen.terminal import is_terminal, visible
from persona_cases.client import PersonaClient
from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export import Column, columns_from
from persona_cases.export.formats.packages import check_available
from persona_cases.export.formats.target import Compression, FileFormat, Target
from persona_cases.export.progress import OnProgress
from persona_cases.export.report import ExportReport
from persona_cases.export.spool.spool import is_unfinished
from persona_cases.export.wording import plural

__all__ = ["DEFAULT_ORDER", "Export", "export_cases"]

DEFAULT_ORDER: Final = "created_at:asc"

_STDOUT: Final = "-"
_LINES: Final = (None, FileFormat.JSON_LINES)
_UNCOMPRESSED: Final = (None, Compression.NONE)


@attrs.frozen(kw_only=True)
class Export:
    """The cases to export, and the output.

    Attributes:
        path: the file; `-` for stdout.
        selection: the query.
        shape: what to write of the cases, and how.
        limit: maximum number of cases.
        report: the form of the report.
    """

    path: str
    selection: Selection
    shape: FileShape
    limit: int | None = None
    report: ReportForm = "text"

    @property
    def to_stdout(self) -> bool:
        """Whether the cases go to stdout."""
        return self.path == _STDOUT

    @property
    def in_lines(self) -> bool:
        """Whether the cases go to stdout one per line as they arrive."""
        return self.to_stdout and self.shape.format in _LINES and self.shape.compression in _UNCOMPRESSED

    @property
    def in_order(self) -> bool:
        """Whether pages are fetched one after another. Such an export cannot be resumed."""
        return self.to_stdout or self.selection.sort is not None or self.limit is not None

    @property
    def name(self) -> str:
        """The name of the output in the report."""
        return "stdout" if self.to_stdout else visible(self.path)

    async def run(self, persona: PersonaClient, on_progress: OnProgress) -> ExportReport:
        """Write the cases."""
        where, only = self.selection, attributes(self.shape.only)
        target = self._target(only)
        columns = await self._declared(persona)
        return await persona.cases.export(
            predicate(where),
            to=stdout_bytes() if self.to_stdout else self.path,
            sort=sort_order(where),
            only=only,
            limit=self.limit,
            on_progress=on_progress,
            format=target.format.value,
            compression=target.compression.value,
            columns=columns,
            column_style=self.shape.column_style or "dotted",
            raw=self.shape.raw,
            restart=self.shape.restart,
            resume_max_age=None
            if (age := self.shape.resume_max_age) is None
            else span_seconds(age, "--resume-max-age"),
            overwrite=self.shape.overwrite,
            manifest=self.shape.manifest,
            undecodable=self.shape.undecodable,
            consistency=self.shape.consistency,
            attachments=self.shape.attachments,
        )

    async def _declared(self, persona: PersonaClient) -> tuple[Column, ...]:
        template = self.shape.columns_from
        return () if template is None else columns_from(await persona.case_templates.get(template))

    def _target(self, only: list[str] | None) -> Target:
        target = Target.of(self.path, self.shape.format, self.shape.compression)
        check_file(self.shape, target, in_order=self.in_order, to_stdout=self.to_stdout, only=only)
        check_available(target)
        return target


async def export_cases(export: Export, connection: Connection, again: str | None) -> ExitCode:
    """Export cases, with progress and a report on stderr.

    Args:
        export: the export.
        connection: how to reach the API.
        again: the command that resumes the export, if that can be shown.
    """
    # A live line would mix with data or logs on the same terminal.
    live = not connection.verbose and not (export.to_stdout and is_terminal(sys.stdout))
    async with connected(connection) as there:
        try:
            with shown_progress(there.limiter, export.limit, live=live) as on_progress:
                done = await export.run(there.persona, on_progress)
        except BaseException as error:
            if (said := _what_is_kept(export, error, again)) is not None:
                typer.echo(said, err=True)
            raise
    text = json.dumps(done.to_dict()) if export.report == "json" else done.text(export.name)
    code = _completeness(export, done)
    typer.echo(text, err=True)
    return code


def _completeness(export: Export, done: ExportReport) -> ExitCode:
    missing = 0 if done.attachments is None else done.attachments.missing
    code = ExitCode.ANSWER if done.rejected else ExitCode.OK
    if not (missing and export.shape.fail_on_missing):
        return code
    # Before the report, because scripts read the report from the last line.
    typer.echo(f"error: {plural(missing, 'attachment')} could not be found; everything else was exported", err=True)
    return code or ExitCode.NOT_FOUND


def _what_is_kept(export: Export, error: BaseException, again: str | None) -> str | None:
    """Return the message about the saved progress of a failed export, if any."""
    if isinstance(error, InvalidArgumentError | ClientStateError):
        # Raised before any request: unfinished files belong to another export.
        return None
    if not export.in_order and is_unfinished(export.path):
        return how_to_resume(again, from_stdin=export.selection.query_json == "-")
    if not isinstance(error, asyncio.CancelledError):
        return None
    why = ": an export to stdout, or with --sort or --limit, cannot be resumed" if export.in_order else " yet"
    but = "" if export.shape.attachments is None else " except attachments"
    return f"no progress saved{but}{why}"
