"""The commands that change cases: `create`, `update`, `assign`, `status`, `comment`, `redact`, `objects`."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Annotated, TypeAlias

from typer import Argument, Option

from persona_cases.cli.commands.change_case import CaseChange, KeyedAct, change_case, creating, keyed, updating
from persona_cases.cli.commands.redact_cases import redact_cases
from persona_cases.cli.options.change_options import Creation, FieldValues, Posting, Updating
from persona_cases.cli.options.given import stdin_text
from persona_cases.cli.options.option_groups import CaseId, Connection, OutputOption
from persona_cases.cli.running import execute

__all__ = ["add_objects", "assign", "comment", "create", "post", "redact", "remove_objects", "status", "update"]

ObjectIds: TypeAlias = Annotated[
    list[str],
    Argument(metavar="OBJECT_ID", help="Ids of accounts, inquiries, reports and others.", show_default=False),
]


def create(
    template: Annotated[str, Option(metavar="ID", help="Template of the case.", show_default=False)],
    fields: FieldValues,
    creation: Creation,
    posting: Posting,
    connection: Connection,
) -> None:
    """Create a case, in the initial status of its template.

    The command template shows the custom fields of a template.
    """

    def make() -> CaseChange:
        return keyed(creating(template, fields, creation), posting.idempotency_key, "persona-cases list --limit 5")

    execute(partial(change_case, make, posting.output, connection), verbose=connection.verbose)


def update(
    id: CaseId, fields: FieldValues, new: Updating, *, output: OutputOption = None, connection: Connection
) -> None:
    """Change custom fields, queue or SLA of a case, or attach files to it.

    Everything else stays as it is.
    """

    def make() -> CaseChange:
        return CaseChange(act=updating(id, fields, new), look=_look(id))

    execute(partial(change_case, make, output, connection), verbose=connection.verbose)


def assign(
    id: CaseId,
    email: Annotated[str, Argument(metavar="EMAIL", help="Email address of the user.", show_default=False)],
    posting: Posting,
    connection: Connection,
) -> None:
    """Assign a case to a user."""
    post(id, lambda persona, key: persona.cases.assign(id, email, idempotency_key=key), posting, connection)


def status(
    id: CaseId,
    status: Annotated[
        str,
        Argument(metavar="STATUS", help="Status, spelled as in the template.", show_default=False),
    ],
    posting: Posting,
    connection: Connection,
) -> None:
    """Set the status of a case."""
    post(id, lambda persona, key: persona.cases.set_status(id, status, idempotency_key=key), posting, connection)


def comment(
    id: CaseId,
    message: Annotated[str, Argument(metavar="MESSAGE|-", help="Text; - reads it from stdin.", show_default=False)],
    posting: Posting,
    connection: Connection,
) -> None:
    """Add a comment to a case."""

    def make() -> CaseChange:
        text = stdin_text("the comment") if message == "-" else message
        return keyed(
            lambda persona, key: persona.cases.add_comment(id, text, idempotency_key=key),
            posting.idempotency_key,
            _look(id),
        )

    execute(partial(change_case, make, posting.output, connection), verbose=connection.verbose)


def redact(
    ids: Annotated[list[str], Argument(metavar="ID", help="Ids of the cases.", show_default=False)],
    *,
    yes: Annotated[bool, Option("--yes", "-y", help="Redact without asking.")] = False,
    output: OutputOption = None,
    connection: Connection,
) -> None:
    """Erase the personal data of cases for good. This cannot be undone.

    On a terminal the command asks first. Elsewhere, --yes is required.
    """
    execute(partial(redact_cases, ids, output, connection, sure=yes), verbose=connection.verbose)


def add_objects(id: CaseId, object_ids: ObjectIds, posting: Posting, connection: Connection) -> None:
    """Attach up to 1,000 objects to a case, each once."""
    post(id, lambda persona, key: persona.cases.add_objects(id, object_ids, idempotency_key=key), posting, connection)


def remove_objects(id: CaseId, object_ids: ObjectIds, posting: Posting, connection: Connection) -> None:
    """Detach objects from a case, and ignore all others."""
    post(
        id, lambda persona, key: persona.cases.remove_objects(id, object_ids, idempotency_key=key), posting, connection
    )


def post(id: str, act: KeyedAct, posting: Posting, connection: Connection) -> None:
    """Change one case under an idempotency key, and print it.

    Args:
        id: the id of the case.
        act: applies the change.
        posting: how to send the change and print the case.
        connection: how to reach the API.
    """

    def make() -> CaseChange:
        return keyed(act, posting.idempotency_key, _look(id))

    execute(partial(change_case, make, posting.output, connection), verbose=connection.verbose)


def _look(id: str) -> str:
    return f"persona-cases get {shlex.quote(id)}"
