"""The command line that resumes an export."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import typer

from persona_cases.cli.examples import PROGRAM

__all__ = ["called_as", "how_to_resume", "same_command", "without_password"]


def same_command(context: typer.Context, *, without: str) -> str | None:
    """Return the current command line, quoted for a shell.

    It is built from the parsed options, so the option to leave out is never confused with a value that looks like it.

    Args:
        context: the context of the command.
        without: the parameter to leave out.

    Returns:
        The command line; None if it has characters that cannot be shown, or that could control a terminal.
    """
    path = context.command_path.split()[1:]
    command = shlex.join([*called_as(sys.argv, sys.orig_argv), *path, *_given(context, without)])
    return command if command.isprintable() else None


def called_as(argv: Sequence[str], original: Sequence[str]) -> list[str]:
    """Return the words that called the program, without its arguments.

    Args:
        argv: `sys.argv`, which begins with the path of the program.
        original: `sys.orig_argv`, which begins with the interpreter and its options.
    """
    program = Path(argv[0])
    arguments = len(argv) - 1
    if program.parts[-2:] == ("persona_cases", "__main__.py"):
        return list(original[: len(original) - arguments])
    found = shutil.which(PROGRAM)
    if program.stem != PROGRAM or (found is not None and Path(found).with_suffix("") == program.with_suffix("")):
        return [PROGRAM]
    return [argv[0]]


def how_to_resume(command: str | None, *, from_stdin: bool) -> str:
    """Return the message for an export with saved progress.

    Args:
        command: the command that resumes it, if that can be shown.
        from_stdin: whether the command reads its query from stdin.
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
    """Return the URL of a proxy without its user name and password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if scheme else rest.rpartition("@")[2]
