"""The work of the commands that change one case: make the change, print the case."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import attrs
import typer

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
from persona_cases.resources.requests.idempotency import chosen_or_new_key

__all__ = ["Change", "KeyedAct", "change_case", "creating", "keyed", "updating"]

Act: TypeAlias = Callable[[PersonaClient], Awaitable[Case]]
"""Makes a change and returns the case as it is afterwards."""

KeyedAct: TypeAlias = Callable[[PersonaClient, str], Awaitable[Case]]
"""Makes a change under an idempotency key."""


@attrs.frozen(kw_only=True)
class Change:
    """A change of one case.

    Attributes:
        act: makes it.
        look: the command that shows whether it was made.
        key: the idempotency key that it carries, if any.
    """

    act: Act
    look: str
    key: str | None = None


def keyed(act: KeyedAct, chosen: str | None, look: str) -> Change:
    """Return a change under an idempotency key.

    Args:
        act: makes it, with the key.
        chosen: the user's own key; made up by default, so that it can be told if the outcome gets lost.
        look: the command that shows whether it was made.

    Raises:
        InvalidArgumentError: if the key cannot be sent.
    """
    key = chosen_or_new_key(chosen)
    return Change(act=lambda persona: act(persona, key), look=look, key=key)


def change_case(
    make: Callable[[], Change], output: Format | None, connection: Connection
) -> Coroutine[Any, Any, ExitCode]:
    """Return the work of changing a case and printing it as it is afterwards.

    Args:
        make: makes the change of what the options say; it may read stdin, and is called at once.
        output: the form to print the case in.
        connection: whom to ask.
    """
    return _change_case(make(), output, connection)


def creating(template: str, fields: FieldValues, creation: Creation) -> KeyedAct:
    """Return what creates the case that the options describe.

    Raises:
        InvalidArgumentError: if an option cannot work.
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


def updating(id: str, fields: FieldValues, new: Updating) -> Act:
    """Return what updates a case as the options say.

    Raises:
        InvalidArgumentError: if an option cannot work, or none says what to update.
    """
    values = field_values(fields)
    queue = given_or_cleared(new.queue, "queue", cleared=new.no_queue)
    sla = given_or_cleared(new.sla, "sla", cleared=new.no_sla)
    seconds = sla_seconds(sla) if isinstance(sla, str) else sla
    if values is None and queue is UNSET and sla is UNSET and not new.attach:
        raise InvalidArgumentError("nothing to update: give --field, --queue, --sla, --attach or another of their kind")
    return lambda persona: persona.cases.update(
        id,
        fields=UNSET if values is None else values,
        case_queue_id=queue,
        sla_expires_in=seconds,
        attachments=new.attach or (),
    )


async def _change_case(change: Change, output: Format | None, connection: Connection) -> ExitCode:
    async with connected(connection) as there:
        try:
            case = await change.act(there.persona)
        except IndeterminateError as error:
            return report(error, verbose=connection.verbose, advise=checking(change.look, change.key))
        except asyncio.CancelledError:
            typer.echo("it is unknown whether the change was made", err=True)
            typer.echo("\n".join(f"hint: {hint}" for hint in when_in_doubt(change.look, change.key)), err=True)
            raise
    writer = case_writer(form_of(output, Format.PRETTY))
    writer.write([case])
    writer.finish()
    return ExitCode.OK
