"""The commands `objects add` and `objects remove`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from typer import Argument

from persona_cases.cli.commands.change_commands import post
from persona_cases.cli.options.change_options import Posting
from persona_cases.cli.options.option_groups import CaseId, Connection

__all__ = ["add", "remove"]

ObjectIds: TypeAlias = Annotated[
    list[str], Argument(metavar="OBJECT_ID", help="Accounts, inquiries, reports and others.", show_default=False)
]


def add(id: CaseId, object_ids: ObjectIds, posting: Posting, connection: Connection) -> None:
    """Attach objects to a case, each at most once and 1,000 in all."""
    post(id, lambda persona, key: persona.cases.add_objects(id, object_ids, idempotency_key=key), posting, connection)


def remove(id: CaseId, object_ids: ObjectIds, posting: Posting, connection: Connection) -> None:
    """Detach objects from a case; objects that are not attached are ignored."""
    post(
        id, lambda persona, key: persona.cases.remove_objects(id, object_ids, idempotency_key=key), posting, connection
    )
