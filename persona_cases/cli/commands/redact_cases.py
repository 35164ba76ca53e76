"""The work of `redact`: ask first, then redact one case after another."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection, Format
from persona_cases.cli.running import report
from persona_cases.cli.screen.advice import checking, when_in_doubt
from persona_cases.cli.screen.output import case_writer, form_of
from persona_cases.cli.screen.terminal import is_terminal, visible
from persona_cases.errors import ConflictError, InvalidArgumentError, NotFoundError, PersonaError
from persona_cases.export.wording import plural
from persona_cases.protocol.addresses.urls import segment

__all__ = ["redact_cases"]


def redact_cases(
    ids: Sequence[str], output: Format | None, connection: Connection, *, sure: bool
) -> Coroutine[Any, Any, ExitCode]:
    """Ask whether to redact cases, and return the coroutine that does it.

    Args:
        ids: the ids of the cases.
        output: the form to print the redacted cases in.
        connection: how to reach the API.
        sure: whether to redact without asking.

    Raises:
        InvalidArgumentError: if an id is invalid, or there is no terminal to ask on.
        typer.Exit: if the answer is no.
    """
    chosen = tuple(dict.fromkeys(ids))
    for case_id in chosen:
        segment(case_id, "each id")
    if not sure and not _agreed(chosen):
        typer.echo("nothing was redacted", err=True)
        raise typer.Exit(ExitCode.FAILURE)
    return _redact(chosen, output, connection)


def _agreed(ids: Sequence[str]) -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise InvalidArgumentError("redacting cannot be undone, and nobody can be asked: give --yes to redact anyway")
    for case_id in ids:
        typer.echo(visible(case_id), err=True)
    typer.echo(f"This cannot be undone. Redact {plural(len(ids), 'case')}? [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


async def _redact(ids: Sequence[str], output: Format | None, connection: Connection) -> ExitCode:
    code, redacted, complete = ExitCode.OK, 0, True
    writer = case_writer(form_of(output, Format.PRETTY))
    async with connected(connection) as there:
        for case_id in ids:
            look = f"persona-cases get --only redacted_at {shlex.quote(case_id)}"
            try:
                writer.write([await there.persona.cases.redact(case_id)])
                redacted += 1
            except PersonaError as error:
                code = report(error, subject=case_id, verbose=connection.verbose, advise=checking(look, None))
                if not isinstance(error, NotFoundError | ConflictError):
                    complete = False
                    break
            except asyncio.CancelledError:
                typer.echo(f"it is unknown whether {visible(case_id)} was redacted", err=True)
                typer.echo("\n".join(f"hint: {hint}" for hint in when_in_doubt(look, None)), err=True)
                raise
    if complete:
        writer.finish()
    if code:
        typer.echo(f"{redacted:,} of {plural(len(ids), 'case')} redacted", err=True)
    return code
