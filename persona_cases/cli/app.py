"""The commands, and how they are called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from persona_cases import __version__
from persona_cases.cli.examples import PROGRAM, epilog, exit_codes
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.exporting import Export, export_cases, how_to_go_on
from persona_cases.cli.options import (
    Connection,
    FieldsOption,
    Filters,
    LimitOption,
    Selection,
    Server,
    Shape,
    Walk,
    with_options,
)
from persona_cases.cli.running import execute
from persona_cases.cli.selection import listing, searching
from persona_cases.cli.serving import serve
from persona_cases.cli.showing import from_cursor, get_cases, walk_cases
from persona_cases.client import PersonaClient
from persona_cases.models import Case
from persona_cases.paging import Pager

__all__ = ["app", "run"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=exit_codes(),
)


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        # Tables and help have signs that not every encoding has; data is written as bytes and not touched by this.
        reconfigure(errors="replace")
    try:
        typer.main.get_command(app).main(args=None if argv is None else list(argv), prog_name=PROGRAM)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK if end.code is None else ExitCode.FAILURE
    return ExitCode.OK


def _print_version(asked: object) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def persona_cases(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = None,
) -> None:
    """Search, list, get and export the cases of Persona, or stand in for its API.

    The API key is read from the environment variable PERSONA_API_KEY.
    Without an account, give --simulator to ask made-up cases.

    Data goes to stdout, everything else to stderr.
    """


@app.command(epilog=epilog("search"))
@with_options
def search(selection: Selection, walk: Walk, shape: Shape, connection: Connection) -> None:
    """Search cases by any expression.

    What was just written is not found yet: the search index lags behind by
    about a minute. The commands list and get show it at once.
    """

    def make(persona: PersonaClient, fields: list[str] | None) -> Pager[Case]:
        return searching(persona, selection, fields, walk)

    execute(partial(walk_cases, make, walk, shape, connection), verbose=connection.verbose, resume=from_cursor(walk))


@app.command("list", epilog=epilog("list"))
@with_options
def list_(filters: Filters, walk: Walk, shape: Shape, connection: Connection) -> None:
    """List cases, newest first."""

    def make(persona: PersonaClient, fields: list[str] | None) -> Pager[Case]:
        return listing(persona, filters, fields, walk)

    execute(partial(walk_cases, make, walk, shape, connection), verbose=connection.verbose, resume=from_cursor(walk))


@app.command(epilog=epilog("get"))
@with_options
def get(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="The ids of the cases.", show_default=False)],
    shape: Shape,
    connection: Connection,
    include: Annotated[
        str | None,
        typer.Option(metavar="NAME,…", help="Load related objects as well: case-template,accounts"),
    ] = None,
) -> None:
    """Get cases by their ids.

    With --include, a case is printed as in an answer of the API, with the
    related objects beside it: {"data": …, "included": …}.
    """
    execute(partial(get_cases, ids, include, shape, connection), verbose=connection.verbose)


@app.command(epilog=epilog("export"))
@with_options
def export(
    output_file: Annotated[
        str, typer.Option("--output-file", "-o", metavar="PATH", help="The file to write; - for stdout.")
    ],
    selection: Selection,
    connection: Connection,
    limit: LimitOption = None,
    fields: FieldsOption = None,
) -> None:
    """Write all matching cases to a file of JSON Lines.

    Each line is a case, exactly as the API sent it. The file appears under its
    name when it is complete, and not before.
    """
    what = Export(path=output_file, selection=selection, limit=limit, fields=fields)
    execute(
        partial(export_cases, what, connection),
        verbose=connection.verbose,
        resume=how_to_go_on if what.to_stdout else None,
    )


@app.command(epilog=epilog("simulator"))
@with_options
def simulator(server: Server) -> None:
    """Stand in for the API on a local port, with made-up cases.

    One line says when it is ready, and with which PERSONA_BASE_URL and
    PERSONA_API_KEY to reach it. Ctrl-C or SIGTERM stops it.
    """
    execute(partial(serve, server))
