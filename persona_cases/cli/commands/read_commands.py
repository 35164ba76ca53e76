"""The commands that read, such as `search`, and `sync` and `purge`, which keep what was read as the API is.

Each imports its work when it is called, so that its help does without.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Context, Option

from persona_cases.cli.options.option_groups import (
    CaseId,
    Connection,
    FileShape,
    Filters,
    IncludeOption,
    LimitOption,
    OutputFile,
    OutputOption,
    Paging,
    ReportOption,
    Selection,
    Shape,
    Syncing,
    Watching,
)

if TYPE_CHECKING:
    from persona_cases.cli.commands.show_cases import MakePager

__all__ = ["download", "export", "get", "limits", "list_", "purge", "search", "sync", "template", "watch"]


def search(selection: Selection, paging: Paging, shape: Shape, connection: Connection) -> None:
    """Search cases by any expression.

    The search index is stale by about a minute. The commands list and get show
    recent changes at once.
    """
    from persona_cases.cli.options.selection import searching

    _show(partial(searching, selection, paging), paging, shape, connection)


def list_(filters: Filters, paging: Paging, shape: Shape, connection: Connection) -> None:
    """List cases, newest first."""
    from persona_cases.cli.options.selection import listing

    _show(partial(listing, filters, paging), paging, shape, connection)


def get(
    ids: Annotated[list[str], Argument(metavar="ID", help="Ids of the cases.", show_default=False)],
    *,
    include: IncludeOption = None,
    shape: Shape,
    connection: Connection,
) -> None:
    """Get cases by their ids.

    With --include, a case is printed as the API sends it, with the related
    objects beside it: {"data": …, "included": …}.
    """
    from persona_cases.cli.commands.show_cases import get_cases
    from persona_cases.cli.running import execute

    execute(partial(get_cases, ids, include, shape, connection), verbose=connection.verbose)


def export(
    output_file: OutputFile,
    context: Context,
    *,
    selection: Selection,
    limit: LimitOption = None,
    shape: FileShape,
    report: ReportOption = "text",
    connection: Connection,
) -> None:
    """Write all matching cases to a file: .jsonl, .csv, .parquet or .sqlite.

    JSON Lines (.jsonl, .ndjson) hold each case exactly as the API sent it. The
    other formats are tables. To compress, add .gz or .zst to .jsonl or .csv.

    The file appears under its name only when it is complete. If the export is
    interrupted, it prints the command that resumes it.
    """
    from persona_cases.cli.commands.export_cases import DEFAULT_ORDER, Export, export_cases
    from persona_cases.cli.running import execute
    from persona_cases.cli.screen.advice import resuming
    from persona_cases.cli.screen.resume_command import same_command

    what = Export(path=output_file, selection=selection, shape=shape, limit=limit, report=report)
    order = "" if selection.sort else f", --sort {DEFAULT_ORDER}"
    how = resuming(
        f"all written lines are complete: to get the rest, search with the same options{order} and", "--after"
    )
    again = same_command(context, without="restart")
    work = partial(export_cases, what, connection, again)
    execute(work, verbose=connection.verbose, advise=how if what.in_lines else None)


def sync(
    output_file: Annotated[
        str, Option("--output-file", "-o", metavar="PATH", help="Database: .db, .sqlite, .duckdb or postgresql://...")
    ],
    *,
    syncing: Syncing,
    connection: Connection,
) -> None:
    """Bring a mirror of cases in a database up to date.

    The first run reads all matching cases, later ones read what changed. Cases
    that no longer match are deleted, and old values of redacted cases erased.
    Each run prints its report as one line of JSON. An interrupted run is
    resumed by the next one.
    """
    from persona_cases.cli.commands.sync_cases import sync_cases
    from persona_cases.cli.running import execute

    execute(partial(sync_cases, output_file, syncing, connection), verbose=connection.verbose)


def purge(
    paths: Annotated[
        list[str], Argument(metavar="PATH", help="Files of exports, and directories of them.", show_default=False)
    ],
    *,
    attachments: Annotated[
        str | None, Option(metavar="DIR", help="Delete the files of redacted cases in this directory of export.")
    ] = None,
    connection: Connection,
) -> None:
    """Erase redacted cases from files of earlier exports.

    JSON Lines, CSV, Parquet and SQLite files are written again if they hold a
    case that has been redacted since; nothing of its old values is left. So
    are the files of cases that were set aside beside them. Each file prints one
    line of JSON. If one cannot be purged, its line has an error, and the exit
    code is 1. With --attachments, downloaded files of redacted cases are
    deleted. Finding redacted cases takes one request per 100 cases.
    """
    from persona_cases.cli.commands.purge_exports import purge_exports
    from persona_cases.cli.running import execute

    execute(partial(purge_exports, paths, attachments, connection), verbose=connection.verbose)


def download(
    id: CaseId,
    to: Annotated[Path, Option(metavar="DIR", help="Directory for the files; created if missing.")],
    *,
    name: Annotated[str | None, Option(metavar="FILENAME", help="Only files with this name. Default: all.")] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace files that already exist.")] = False,
    fail_on_missing: Annotated[bool, Option("--fail-on-missing", help="Exit with 4 if the case has no files.")] = False,
    connection: Connection,
) -> None:
    """Download the files that are attached to a case.

    The path of each file is printed when the file is complete. If a file cannot
    be found, the others are downloaded, and the exit code is 4.
    """
    from persona_cases.cli.commands.download_files import FileChoice, download_files
    from persona_cases.cli.running import execute

    what = FileChoice(case_id=id, directory=to, name=name, overwrite=overwrite, fail_on_missing=fail_on_missing)
    execute(partial(download_files, what, connection), verbose=connection.verbose)


def watch(watching: Watching, connection: Connection) -> None:
    """Print new cases as they appear, one line of JSON per case, until Ctrl-C.

    When it ends, it prints the option that resumes it without a gap.
    """
    from persona_cases.cli.commands.watch_cases import resuming_watch, watch_cases
    from persona_cases.cli.running import execute

    execute(partial(watch_cases, watching, connection), verbose=connection.verbose, advise=resuming_watch)


def template(
    id: Annotated[str, Argument(metavar="ID", help="Id of the template.", show_default=False)],
    *,
    output: OutputOption = None,
    connection: Connection,
) -> None:
    """Show a case template; as a table, its custom fields.

    The API cannot list templates. Find their ids in the dashboard or in cases.
    """
    from persona_cases.cli.commands.show_facts import show_template
    from persona_cases.cli.running import execute

    execute(partial(show_template, id, output, connection), verbose=connection.verbose)


def limits(*, output: OutputOption = None, connection: Connection) -> None:
    """Show how much of the rate limits is used. The request itself counts."""
    from persona_cases.cli.commands.show_facts import show_limits
    from persona_cases.cli.running import execute

    execute(partial(show_limits, output, connection), verbose=connection.verbose)


def _show(make: MakePager, paging: Paging, shape: Shape, connection: Connection) -> None:
    from persona_cases.cli.commands.show_cases import resuming_from, show_pages
    from persona_cases.cli.running import execute

    work = partial(show_pages, make, paging, shape, connection)
    execute(work, verbose=connection.verbose, advise=resuming_from(paging))
