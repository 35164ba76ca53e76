"""The commands `tag add`, `tag remove` and `tag set`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from typer import Argument, Option

from persona_cases.cli.changing.change_tags import TagChoice, adding, changing_each, removing, setting
from persona_cases.cli.changing.one_or_many import change, one_or_many, posted
from persona_cases.cli.options.bulk_options import Bulk, FirstId, Which
from persona_cases.cli.options.change_options import Posting
from persona_cases.cli.options.option_groups import Connection

__all__ = ["add", "remove", "set_"]

Names: TypeAlias = Annotated[list[str] | None, Argument(metavar="NAME", help="Names of the tags.", show_default=False)]
TagIds: TypeAlias = Annotated[list[str] | None, Option("--id", metavar="TAG_ID", help="Id of a tag. Repeat for more.")]


def add(
    id: FirstId = None,
    names: Names = None,
    *,
    tag_ids: TagIds = None,
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Add tags to a case, or one tag to many.

    An unknown name creates a tag. An organization may have 1,000 tags.
    """
    which, wanted = Which.split(id, names, bulk)
    tags = TagChoice.of(wanted, tag_ids)
    one_or_many(
        which,
        one=lambda case: posted(case, changing_each(case, tags, lambda persona: persona.cases.add_tag), posting),
        make=lambda: adding(tags),
        question="Add the tag to {}?",
        posting=posting,
        connection=connection,
    )


def remove(
    id: FirstId = None,
    names: Names = None,
    *,
    tag_ids: TagIds = None,
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Remove tags from a case, or one from many."""
    which, wanted = Which.split(id, names, bulk)
    tags = TagChoice.of(wanted, tag_ids)
    one_or_many(
        which,
        one=lambda case: posted(case, changing_each(case, tags, lambda persona: persona.cases.remove_tag), posting),
        make=lambda: removing(tags),
        question="Remove the tag from {}?",
        posting=posting,
        connection=connection,
    )


def set_(
    id: FirstId = None,
    names: Names = None,
    *,
    tag_ids: TagIds = None,
    none: Annotated[bool, Option("--none", help="Remove all tags.")] = False,
    bulk: Bulk,
    posting: Posting,
    connection: Connection,
) -> None:
    """Give cases exactly these tags: all others are removed."""
    which, wanted = Which.split(id, names, bulk)
    tags = TagChoice.of(wanted, tag_ids)
    change(which, lambda: setting(tags, none=none), "Set the tags of {}?", posting, connection)
