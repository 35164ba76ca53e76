"""The work of the commands that change one case: apply the change, print the case."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import attrs
import typer

from persona_cases.changes import Update
from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.change_options import Creation, FieldValues, Updating
from persona_cases.cli.options.field_input import field_values, given_or_cleared, sla_seconds
from persona_cases.cli.options.option_groups import Connection, Format
from persona_cases.cli.running import report
from persona_cases.cli.screen.advice import checking, when_in_doubt
from persona_cases.cli.screen.output import case_writer, form_of
from persona_cases.client import PersonaClient
from persona_cases.errors import IndeterminateError, InvalidArgumentError
from persona_cases.models import UNSET, Case
from persona_cases.resources.requests.argument_checks import chosen_or_new_key

__all__ = ["CaseChange", "KeyedAct", "change_case", "creating", "keyed", "update_of"]

Act: TypeAlias = Callable[[PersonaClient], Awaitable[Case]]
"""Applies a change and returns the changed case."""

KeyedAct: TypeAlias = Callable[[PersonaClient, str], Awaitable[Case]]
"""Applies a change under an idempotency key."""


@attrs.frozen(kw_only=True)
class CaseChange:
    """A change of one case.

    Attributes:
        act: applies it.
        look: the command that shows whether it was applied.
        key: its idempotency key, if any.
    """

    act: Act
    look: str
    key: str | None = None


def keyed(act: KeyedAct, chosen: str | None, look: str) -> CaseChange:
    """Return a change under an idempotency key.

    Args:
        act: applies it.
        chosen: the key from the command line; by default a new one, which is shown if the outcome is unknown.
        look: the command that shows whether it was applied.

    Raises:
        InvalidArgumentError: if the key cannot be sent.
    """
    key = chosen_or_new_key(chosen)
    return CaseChange(act=lambda persona: act(persona, key), look=look, key=key)


def change_case(
    make: Callable[[], CaseChange], output: Format | None, connection: Connection
) -> Coroutine[Any, Any, ExitCode]:
    """Return the coroutine that changes a case and prints it.

    Args:
        make: makes the change from the options. It may read stdin, so it is called before there is an event loop.
        output: the form to print the case in.
        connection: how to reach the API.
    """
    return _change_case(make(), output, connection)


def creating(template: str, fields: FieldValues, creation: Creation) -> KeyedAct:
    """Return the function that creates the case that the options describe.

    Raises:
        InvalidArgumentError: if an option is invalid.
    """
    values = field_values(fields)
    sla = None if creation.sla is None else sla_seconds(creation.sla)
    return lambda persona, key: persona.cases.create(
        template,
        fields=values,
        case_queue_id=creation.queue,
        creator_email_address=creation.creator,
        object_ids=creation.object or None,
        sla_expires_in=sla,
        idempotency_key=key,
    )


def update_of(fields: FieldValues, new: Updating) -> Update:
    """Return the update that the options describe.

    Raises:
        InvalidArgumentError: if an option is invalid, or nothing is to be updated.
    """
    values = field_values(fields)
    queue = given_or_cleared(new.queue, "queue", cleared=new.no_queue)
    sla = given_or_cleared(new.sla, "sla", cleared=new.no_sla)
    seconds = sla_seconds(sla) if isinstance(sla, str) else sla
    if values is None and queue is UNSET and sla is UNSET and not new.attach:
        raise InvalidArgumentError("nothing to update: give --field, --queue, --sla, --attach or a similar option")
    return Update(
        fields=UNSET if values is None else values,
        case_queue_id=queue,
        sla_expires_in=seconds,
        attachments=new.attach or (),
    )


async def _change_case(change: CaseChange, output: Format | None, connection: Connection) -> ExitCode:
    async with connected(connection) as there:
        try:
            case = await change.act(there.persona)
        except IndeterminateError as error:
            return report(error, verbose=connection.verbose, advise=checking(change.look, change.key))
        except asyncio.CancelledError:
            typer.echo("it is unknown whether the change was applied", err=True)
            typer.echo("\n".join(f"hint: {hint}" for hint in when_in_doubt(change.look, change.key)), err=True)
            raise
    writer = case_writer(form_of(output, Format.PRETTY))
    writer.write([case])
    writer.finish()
    return ExitCode.OK
