"""The commands that change cases: `create`, `update`, `assign`, `status`, `comment`, `redact`, `objects`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeAlias

from typer import Argument, Option

from persona_cases.changes import AddComment, AddObjects, Assign, Change, RemoveObjects, SetStatus
from persona_cases.cli.changing.bulk_changes import ChangePairs, change_cases
from persona_cases.cli.changing.change_case import CaseChange, change_case, creating, keyed, update_of
from persona_cases.cli.changing.one_or_many import change
from persona_cases.cli.changing.redact_cases import redact_cases
from persona_cases.cli.options.bulk_options import Bulk, CaseIds, FirstId, Which, pairs_in_csv
from persona_cases.cli.options.change_options import Creation, CsvOption, FieldValues, Posting, Updating
from persona_cases.cli.options.given import stdin_text
from persona_cases.cli.options.option_groups import Connection, OutputOption
from persona_cases.cli.running import execute
from persona_cases.errors import InvalidArgumentError

__all__ = [
    "add_objects",
    "assign",
    "comment",
    "create",
    "redact",
    "remove_objects",
    "status",
    "update",
]

ObjectIds: TypeAlias = Annotated[
    list[str] | None,
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
    *,
    ids: CaseIds = None,
    fields: FieldValues,
    new: Updating,
    csv: CsvOption = None,
    bulk: Bulk,
    output: OutputOption = None,
    connection: Connection,
) -> None:
    """Change custom fields, queue or SLA of cases, or attach files to them.

    Everything else stays as it is. With --csv, each case gets its own values.
    """
    question = "Update {}?"
    if csv is not None:

        def read() -> ChangePairs:
            if ids or bulk.where or bulk.ids_from or fields != FieldValues() or new != Updating():
                raise InvalidArgumentError("--csv has the cases and their values: leave out other ids and values")
            return ChangePairs(question, pairs_in_csv(csv))

        execute(partial(change_cases, read, bulk, None, output, connection), verbose=connection.verbose)
    change(Which.of(ids, bulk), lambda: update_of(fields, new), question, Posting(output=output), connection)


def assign(
    *,
    ids: CaseIds = None,
    email: Annotated[str, Argument(metavar="EMAIL", help="Email address of the user.", show_default=False)],
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Assign cases to a user."""
    change(Which.of(ids, bulk), lambda: Assign(email), "Assign {}?", posting, connection)


def status(
    *,
    ids: CaseIds = None,
    status: Annotated[
        str,
        Argument(metavar="STATUS", help="Status, spelled as in the template.", show_default=False),
    ],
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Set the status of cases."""
    change(Which.of(ids, bulk), lambda: SetStatus(status), "Set the status of {}?", posting, connection)


def comment(
    *,
    ids: CaseIds = None,
    message: Annotated[str, Argument(metavar="MESSAGE|-", help="Text; - reads it from stdin.", show_default=False)],
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Add a comment to cases."""

    def make() -> Change:
        if message == "-" and bulk.from_stdin:
            raise InvalidArgumentError("stdin has either the ids or the comment: give one of them otherwise")
        return AddComment(stdin_text("the comment") if message == "-" else message)

    change(Which.of(ids, bulk), make, "Add the comment to {}?", posting, connection)


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


def add_objects(
    *, id: FirstId = None, object_ids: ObjectIds = None, bulk: Bulk, posting: Posting, connection: Connection
) -> None:
    """Attach up to 1,000 objects to cases, each once."""
    which, objects = Which.split(id, object_ids, bulk)
    change(which, lambda: AddObjects(_some(objects)), "Attach objects to {}?", posting, connection)


def remove_objects(
    *, id: FirstId = None, object_ids: ObjectIds = None, bulk: Bulk, posting: Posting, connection: Connection
) -> None:
    """Detach objects from cases, and ignore all others."""
    which, objects = Which.split(id, object_ids, bulk)
    change(which, lambda: RemoveObjects(_some(objects)), "Detach objects from {}?", posting, connection)


def _some(objects: list[str]) -> list[str]:
    if not objects:
        raise InvalidArgumentError("OBJECT_ID is missing: give the ids of objects after the id of the case")
    return objects
