"""The program: its commands, and how they are called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import typer

from persona_cases import __version__
from persona_cases.cli.commands import change_commands as changing
from persona_cases.cli.commands import object_commands as attaching
from persona_cases.cli.commands import read_commands as reading
from persona_cases.cli.commands import simulator_command as trying
from persona_cases.cli.commands import tag_commands as tagging
from persona_cases.cli.examples import PROGRAM, epilog, exit_codes
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.spreading import with_options
from persona_cases.cli.options.strictness import StrictCommand, StrictGroup
from persona_cases.cli.running import report
from persona_cases.cli.usage_errors import UsageError, refusal
from persona_cases.errors import PersonaError

__all__ = ["app", "run"]

_READ, _CHANGE, _TRY = "Read", "Change", "Try out"

Commands = Mapping[str, Callable[..., None]]

_READING: Final[Commands] = {
    "search": reading.search,
    "list": reading.list_,
    "get": reading.get,
    "export": reading.export,
    "download": reading.download,
    "watch": reading.watch,
    "template": reading.template,
    "limits": reading.limits,
}
_CHANGING: Final[Commands] = {
    "create": changing.create,
    "update": changing.update,
    "assign": changing.assign,
    "status": changing.status,
    "comment": changing.comment,
    "redact": changing.redact,
}
_TAGGING: Final[Commands] = {"add": tagging.add, "remove": tagging.remove, "set": tagging.set_}
_ATTACHING: Final[Commands] = {"add": attaching.add, "remove": attaching.remove}
_TRYING: Final[Commands] = {"simulator": trying.simulator}

_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}

app: typer.Typer = typer.Typer(
    cls=StrictGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
    epilog=exit_codes(),
)


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        # Tables and help have signs that not every encoding has; data is written as bytes and not touched by this.
        reconfigure(errors="replace")
    args = None if argv is None else list(argv)
    try:
        ended: object = typer.main.get_command(app).main(args=args, prog_name=PROGRAM, standalone_mode=False)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            typer.echo("\n".join(refusal(error, PROGRAM)), err=True)
        return ExitCode.USAGE
    except PersonaError as error:
        return report(error, verbose=False)
    except SystemExit as end:
        ended = end.code
    except typer.Abort:
        return ExitCode.FAILURE
    return ended if isinstance(ended, int) else ExitCode.OK if ended is None else ExitCode.FAILURE


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
    """Read and change the cases of Persona, or stand in for its API.

    The API key is read from the environment variable PERSONA_API_KEY.
    Without an account, give --simulator: made-up cases, new ones for each command.

    Data goes to stdout, everything else to stderr.
    """


def _add(commands: Commands, to: typer.Typer, *, panel: str | None = None, group: str = "") -> None:
    for name, command in commands.items():
        add = to.command(name, cls=StrictCommand, epilog=epilog(group + name), rich_help_panel=panel)
        add(with_options(command))


def _add_group(commands: Commands, name: str, what: str) -> None:
    group = typer.Typer(cls=StrictGroup, no_args_is_help=True, rich_markup_mode="rich", context_settings=_SETTINGS)
    _add(commands, group, group=f"{name} ")
    app.add_typer(group, name=name, help=what, rich_help_panel=_CHANGE)


_add(_READING, app, panel=_READ)
_add(_CHANGING, app, panel=_CHANGE)
_add_group(_TAGGING, "tag", "Add tags to a case, remove them, or set them.")
_add_group(_ATTACHING, "objects", "Attach accounts, inquiries, reports and other objects to a case, or detach them.")
_add(_TRYING, app, panel=_TRY)
