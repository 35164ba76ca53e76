"""The program: its commands, and how they are called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Final

import typer

from persona_cases import __version__
from persona_cases.cli.deferred import SETTINGS, Command, DeferredGroup, Group, Listed, defer
from persona_cases.cli.examples import PROGRAM, exit_codes
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.usage_errors import UsageError, refusal
from persona_cases.errors import PersonaError

__all__ = ["LISTED", "make_program", "run"]

LISTED: Final[dict[str, tuple[Listed, ...]]] = {
    "Read": (
        Command("search", "read_commands.search", "Search cases by any expression."),
        Command("list", "read_commands.list_", "List cases, newest first."),
        Command("get", "read_commands.get", "Get cases by their ids."),
        Command(
            "export", "read_commands.export", "Write all matching cases to a file: .jsonl, .csv, .parquet or .sqlite."
        ),
        Command("sync", "read_commands.sync", "Bring a mirror of cases in a database up to date."),
        Command("purge", "read_commands.purge", "Erase redacted cases from files of earlier exports."),
        Command("download", "read_commands.download", "Download the files that are attached to a case."),
        Command(
            "watch", "read_commands.watch", "Print new cases as they appear, one line of JSON per case, until Ctrl-C."
        ),
        Command("template", "read_commands.template", "Show a case template; as a table, its custom fields."),
        Command(
            "limits", "read_commands.limits", "Show how much of the rate limits is used. The request itself counts."
        ),
    ),
    "Change": (
        Command("create", "change_commands.create", "Create a case, in the initial status of its template."),
        Command(
            "update", "change_commands.update", "Change custom fields, queue or SLA of cases, or attach files to them."
        ),
        Command("assign", "change_commands.assign", "Assign cases to a user."),
        Command("status", "change_commands.status", "Set the status of cases."),
        Command("comment", "change_commands.comment", "Add a comment to cases."),
        Command(
            "redact", "change_commands.redact", "Erase the personal data of cases for good. This cannot be undone."
        ),
        Group(
            "tag",
            (
                Command("add", "tag_commands.add", "Add tags to a case, or one tag to many."),
                Command(
                    "remove",
                    "tag_commands.remove",
                    "Remove tags from a case, or one from many.",
                ),
                Command("set", "tag_commands.set_", "Give cases exactly these tags: all others are removed."),
            ),
            "Add tags to cases, remove them, or set them.",
        ),
        Group(
            "objects",
            (
                Command("add", "change_commands.add_objects", "Attach up to 1,000 objects to cases, each once."),
                Command(
                    "remove", "change_commands.remove_objects", "Detach objects from cases, and ignore all others."
                ),
            ),
            "Attach accounts, inquiries, reports and other objects to cases, or detach them.",
        ),
    ),
    "Develop": (
        Command(
            "codegen", "generate_module.codegen", "Write a Python module with a typed class for each case template."
        ),
    ),
    "Try out": (
        Command("simulator", "serve_simulator.simulator", "Stand in for the API on a local port, with made-up cases."),
    ),
}
"""The commands by the heading under which the help lists them."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        # Not every encoding has the characters of tables and help. Data is written as bytes, so this does not touch it.
        reconfigure(errors="replace")
    args = None if argv is None else list(argv)
    try:
        ended: object = make_program().main(args=args, prog_name=PROGRAM, standalone_mode=False)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            typer.echo("\n".join(refusal(error, PROGRAM)), err=True)
        return ExitCode.USAGE
    except PersonaError as error:
        from persona_cases.cli.running import report  # noqa: PLC0415 - needs asyncio, which help does not

        return report(error, verbose=False)
    except SystemExit as end:
        ended = end.code
    except typer.Abort:
        return ExitCode.FAILURE
    return ended if isinstance(ended, int) else ExitCode.OK if ended is None else ExitCode.FAILURE


@cache
def make_program() -> Any:
    """Return the program as a command of typer, which loads its commands when they are called."""
    app = typer.Typer(
        cls=DeferredGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
        epilog=exit_codes(),
    )
    app.callback()(persona_cases)
    program = typer.main.get_command(app)
    for panel, listed in LISTED.items():
        defer(listed, program, panel=panel)
    return program


def _print_version(asked: object) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def persona_cases(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = None,
) -> None:
    """Read and change the cases of Persona, or stand in for its API.

    The API key is read from the environment variable PERSONA_API_KEY.
    To try a command without an account, add --simulator.

    Data goes to stdout, everything else to stderr.
    """
