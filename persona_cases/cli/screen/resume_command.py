"""The command line that goes on with what this one began."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import typer

from persona_cases.cli.examples import PROGRAM

__all__ = ["called_as", "how_to_go_on", "same_command", "without_password"]


def same_command(context: typer.Context, *, without: str) -> str | None:
    """Return the command line that was given, quoted for a shell.

    It is made from the options as they were understood, so that an option that is to be left out is never mistaken for
    a value that looks like it.

    Args:
        context: of the command.
        without: the parameter to leave out, whether it was given or not.

    Returns:
        The command line; None if it has signs that cannot be shown, or that could do something to a terminal.
    """
    path = context.command_path.split()[1:]
    command = shlex.join([*called_as(sys.argv, sys.orig_argv), *path, *_given(context, without)])
    return command if command.isprintable() else None


def called_as(argv: Sequence[str], original: Sequence[str]) -> list[str]:
    """Return how the program was called, without its arguments.

    Args:
        argv: `sys.argv`, whose first item is the path of the program.
        original: `sys.orig_argv`, with the interpreter and its options.
    """
    program = Path(argv[0])
    arguments = len(argv) - 1
    if program.parts[-2:] == ("persona_cases", "__main__.py"):
        return list(original[: len(original) - arguments])
    found = shutil.which(PROGRAM)
    if program.stem != PROGRAM or (found is not None and Path(found).with_suffix("") == program.with_suffix("")):
        return [PROGRAM]
    return [argv[0]]


def how_to_go_on(command: str | None, *, from_stdin: bool) -> str:
    """Return what to say of an export whose cases are kept.

    Args:
        command: what goes on with it, if that can be shown.
        from_stdin: whether it reads the query from stdin.
    """
    if command is None:
        return "progress saved: run the same command without --restart to resume"
    again = ", with the same query on stdin" if from_stdin else ""
    return f"progress saved. Resume with the command below{again}, or add --restart to start over:\n{command}"


def _given(context: typer.Context, without: str) -> Iterator[str]:
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE" or parameter.name == without:
            continue
        given: object = context.params[parameter.name or ""]
        for value in cast("Sequence[object]", given) if isinstance(given, list | tuple) else (given,):
            yield min(parameter.opts, key=len)
            # A flag has no value.
            if value is not True:
                yield without_password(str(value)) if parameter.name == "proxy" else str(value)


def without_password(proxy: str) -> str:
    """Return a proxy's URL as it may be shown: what is before its host may be a password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if scheme else rest.rpartition("@")[2]
