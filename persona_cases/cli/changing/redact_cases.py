"""The work of `redact`: ask first, then redact one case after another."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Coroutine, Sequence
from typing import Any

import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection, Format
from persona_cases.cli.running import report
from persona_cases.cli.screen.advice import checking, when_in_doubt
from persona_cases.cli.screen.output import case_writer, form_of
from persona_cases.cli.screen.question import agreed, check_can_ask
from persona_cases.cli.screen.terminal import visible
from persona_cases.client import PersonaClient
from persona_cases.errors import ConflictError, NotFoundError, PersonaError
from persona_cases.export.wording import plural
from persona_cases.protocol.addresses.urls import segment

__all__ = ["redact_cases"]


def redact_cases(
    ids: Sequence[str], output: Format | None, connection: Connection, *, sure: bool
) -> Coroutine[Any, Any, ExitCode]:
    """Return the coroutine that shows the cases, asks whether to redact them, and does it.

    Args:
        ids: the ids of the cases.
        output: the form to print the redacted cases in.
        connection: how to reach the API.
        sure: whether to redact without asking.

    Raises:
        InvalidArgumentError: if an id is invalid, or there is no terminal to ask on.
    """
    chosen = tuple(dict.fromkeys(ids))
    for case_id in chosen:
        segment(case_id, "each id")
    if not sure:
        check_can_ask("redacting cannot be undone, and nobody can be asked: give --yes to redact anyway")
    return _redact(chosen, output, connection, sure=sure)


async def _agreed(ids: Sequence[str], persona: PersonaClient, connection: Connection) -> bool | ExitCode:
    """Show the cases and ask; return the exit code instead if one of them is not there."""
    found = await persona.cases.get_many(ids, only=["name", "status", "redacted_at"])
    for case_id in found.missing:
        typer.echo(f"error: {visible(case_id)}: there is no such case", err=True)
    codes = [
        *(ExitCode.NOT_FOUND for _ in found.missing),
        *(report(error, subject=case_id, verbose=connection.verbose) for case_id, error in found.failed.items()),
    ]
    if codes:
        return codes[0]
    for case in found:
        redacted = "" if case.redacted_at is None else ", redacted already"
        typer.echo(visible(f"{case.id}  {case.name or ''}  {case.status or ''}{redacted}"), err=True)
    return await agreed(f"This cannot be undone. Redact {plural(len(ids), 'case')}?")


async def _redact(ids: Sequence[str], output: Format | None, connection: Connection, *, sure: bool) -> ExitCode:
    code, redacted, complete = ExitCode.OK, 0, True
    writer = case_writer(form_of(output, Format.PRETTY))
    async with connected(connection) as there:
        if (answer := sure or await _agreed(ids, there.persona, connection)) is not True:
            typer.echo("nothing was redacted", err=True)
            return answer or ExitCode.FAILURE
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
