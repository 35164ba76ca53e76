"""The commands `tag add`, `tag remove` and `tag set`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from typer import Argument, Option

from persona_cases.cli.commands.change_commands import post
from persona_cases.cli.commands.change_tags import TagChoice, changing_each, setting
from persona_cases.cli.options.change_options import Posting
from persona_cases.cli.options.option_groups import CaseId, Connection

__all__ = ["add", "remove", "set_"]

Names: TypeAlias = Annotated[list[str] | None, Argument(metavar="NAME", help="Names of the tags.", show_default=False)]
Ids: TypeAlias = Annotated[list[str] | None, Option("--id", metavar="TAG_ID", help="Id of a tag. Repeat for more.")]


def add(id: CaseId, names: Names = None, *, ids: Ids = None, posting: Posting, connection: Connection) -> None:
    """Add tags to a case, with one request each.

    An unknown name creates a tag. An organization may have 1,000 tags.
    """
    post(id, changing_each(id, TagChoice.of(names, ids), lambda persona: persona.cases.add_tag), posting, connection)


def remove(id: CaseId, names: Names = None, *, ids: Ids = None, posting: Posting, connection: Connection) -> None:
    """Remove tags from a case, with one request each."""
    post(id, changing_each(id, TagChoice.of(names, ids), lambda persona: persona.cases.remove_tag), posting, connection)


def set_(
    id: CaseId,
    names: Names = None,
    *,
    ids: Ids = None,
    none: Annotated[bool, Option("--none", help="Remove all tags.")] = False,
    posting: Posting,
    connection: Connection,
) -> None:
    """Give a case exactly these tags: all others are removed."""
    post(id, setting(id, TagChoice.of(names, ids), none=none), posting, connection)
