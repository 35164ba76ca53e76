"""The commands that read: `search`, `list`, `get`, `export`, `download`, `watch`, `template`, `limits`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from persona_cases.cli.commands.download_files import Download, download_files
from persona_cases.cli.commands.export_cases import DEFAULT_ORDER, Export, export_cases
from persona_cases.cli.commands.show_cases import from_cursor, get_cases, walk_cases
from persona_cases.cli.commands.show_facts import show_limits, show_template
from persona_cases.cli.commands.watch_cases import going_on_watching, watch_cases
from persona_cases.cli.options.option_groups import (
    CaseId,
    Connection,
    FileShape,
    Filters,
    LimitOption,
    OutputOption,
    ReportForm,
    ReportOption,
    Selection,
    Shape,
    Walk,
    Watching,
)
from persona_cases.cli.options.selection import listing, searching
from persona_cases.cli.running import execute
from persona_cases.cli.screen.advice import going_on
from persona_cases.cli.screen.resume_command import same_command
from persona_cases.client import PersonaClient
from persona_cases.models import Case
from persona_cases.paging import Pager

__all__ = ["download", "export", "get", "limits", "list_", "search", "template", "watch"]


def search(selection: Selection, walk: Walk, shape: Shape, connection: Connection) -> None:
    """Search cases by any expression.

    The search index is stale by about a minute, so recent changes are not found
    yet. The commands list and get show them at once.
    """

    def make(persona: PersonaClient, only: list[str] | None) -> Pager[Case]:
        return searching(persona, selection, only, walk)

    execute(partial(walk_cases, make, walk, shape, connection), verbose=connection.verbose, advise=from_cursor(walk))


def list_(filters: Filters, walk: Walk, shape: Shape, connection: Connection) -> None:
    """List cases, newest first."""

    def make(persona: PersonaClient, only: list[str] | None) -> Pager[Case]:
        return listing(persona, filters, only, walk)

    execute(partial(walk_cases, make, walk, shape, connection), verbose=connection.verbose, advise=from_cursor(walk))


def get(
    ids: Annotated[list[str], Argument(metavar="ID", help="The ids of the cases.", show_default=False)],
    shape: Shape,
    connection: Connection,
    include: Annotated[
        str | None,
        Option(metavar="NAME,…", help="Load related objects as well: case-template,accounts"),
    ] = None,
) -> None:
    """Get cases by their ids.

    With --include, a case is printed as in an answer of the API, with the
    related objects beside it: {"data": …, "included": …}.
    """
    execute(partial(get_cases, ids, include, shape, connection), verbose=connection.verbose)


def export(
    output_file: Annotated[str, Option("--output-file", "-o", metavar="PATH", help="The file to write; - for stdout.")],
    selection: Selection,
    shape: FileShape,
    connection: Connection,
    context: Context,
    *,
    limit: LimitOption = None,
    report: ReportOption = ReportForm.TEXT,
) -> None:
    """Write all matching cases to a file: .jsonl, .csv, .parquet or .sqlite.

    JSON Lines, also as .ndjson, hold each case exactly as the API sent it; the
    others are tables. Add .gz or .zst after .jsonl or .csv to compress. The file
    appears under its name only when it is complete. If the export is
    interrupted, run the same command to resume; it is printed.
    """
    what = Export(path=output_file, selection=selection, shape=shape, limit=limit, report=report)
    order = "the same options" if selection.sort else f"the same options and --sort {DEFAULT_ORDER}"
    how = going_on(f"what was written is whole; search with {order} gets the rest,", "--after")
    again = same_command(context, without="restart")
    work = partial(export_cases, what, connection, again)
    execute(work, verbose=connection.verbose, advise=how if what.in_lines else None)


def download(
    id: CaseId,
    to: Annotated[Path, Option(metavar="DIR", help="The directory for the files; created if it does not exist.")],
    connection: Connection,
    *,
    name: Annotated[str | None, Option(metavar="FILENAME", help="Only files with this name. Default: all.")] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace files that already exist.")] = False,
    fail_on_missing: Annotated[
        bool, Option("--fail-on-missing", help="Exit with 4 also if the case has no attached files.")
    ] = False,
) -> None:
    """Download the files that are attached to a case.

    The path of each file is printed when the file is complete, and not before.
    If a file cannot be found, the others are downloaded, and the exit code is 4.
    """
    what = Download(case_id=id, directory=to, name=name, overwrite=overwrite, fail_on_missing=fail_on_missing)
    execute(partial(download_files, what, connection), verbose=connection.verbose)


def watch(watching: Watching, connection: Connection) -> None:
    """Print new cases as they appear, one line of JSON per case, until Ctrl-C.

    When it ends, it prints the option that resumes it without a gap.
    """
    execute(partial(watch_cases, watching, connection), verbose=connection.verbose, advise=going_on_watching)


def template(
    id: Annotated[str, Argument(metavar="ID", help="The id of the template.", show_default=False)],
    connection: Connection,
    output: OutputOption = None,
) -> None:
    """Show a case template; as a table, its custom fields.

    The API cannot list templates: their ids are in the dashboard and in cases.
    """
    execute(partial(show_template, id, output, connection), verbose=connection.verbose)


def limits(connection: Connection, output: OutputOption = None) -> None:
    """Show how much of the rate limits is used. The request itself counts."""
    execute(partial(show_limits, output, connection), verbose=connection.verbose)
