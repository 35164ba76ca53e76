"""The options of the commands that change cases, in groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from typer import Option

from persona_cases.cli.options.option_groups import OutputOption

__all__ = ["Creation", "FieldValues", "Posting", "Updating"]

_CHANGE = "What to set"
_SEND = "How to send it"


@attrs.frozen(kw_only=True)
class FieldValues:
    """Values of custom fields."""

    field: Annotated[
        list[str] | None,
        Option(
            metavar="KEY=TEXT", help="Set a custom field to a string. Repeat for more fields.", rich_help_panel=_CHANGE
        ),
    ] = None
    field_json: Annotated[
        list[str] | None,
        Option(
            metavar="KEY=JSON",
            help="Set a custom field to a number, true, false, null, a list or an object.",
            rich_help_panel=_CHANGE,
        ),
    ] = None
    fields_json: Annotated[
        str | None,
        Option(
            metavar="JSON|@FILE|-",
            help="Set the custom fields of a JSON object: as it is, from a file, or from stdin.",
            rich_help_panel=_CHANGE,
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Creation:
    """What a new case may have beside its custom fields."""

    queue: Annotated[str | None, Option(metavar="ID", help="The queue to put it in.", rich_help_panel=_CHANGE)] = None
    creator: Annotated[
        str | None,
        Option(metavar="EMAIL", help="The user to be shown as its creator.", rich_help_panel=_CHANGE),
    ] = None
    object: Annotated[
        list[str] | None,
        Option(
            metavar="ID",
            help="An account, inquiry, report or other object to attach. Repeat for more.",
            rich_help_panel=_CHANGE,
        ),
    ] = None
    sla: Annotated[
        str | None,
        Option(metavar="2h|90m|7200", help="Time until its SLA expires, up to 90d.", rich_help_panel=_CHANGE),
    ] = None


@attrs.frozen(kw_only=True)
class Updating:
    """What can be changed about a case beside its custom fields."""

    queue: Annotated[str | None, Option(metavar="ID", help="The queue to put it in.", rich_help_panel=_CHANGE)] = None
    no_queue: Annotated[bool, Option("--no-queue", help="Take it out of its queue.", rich_help_panel=_CHANGE)] = False
    sla: Annotated[
        str | None,
        Option(metavar="2h|90m|7200", help="Time until its SLA expires, up to 90d.", rich_help_panel=_CHANGE),
    ] = None
    no_sla: Annotated[bool, Option("--no-sla", help="Clear its SLA.", rich_help_panel=_CHANGE)] = False
    attach: Annotated[
        list[Path] | None,
        Option(
            metavar="PATH",
            exists=True,
            dir_okay=False,
            readable=True,
            help="A PDF or an image to add. Repeat for more.",
            rich_help_panel=_CHANGE,
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Posting:
    """How a change is sent, and its result printed."""

    idempotency_key: Annotated[
        str | None,
        Option(
            metavar="KEY",
            help="A request repeated with the same key within 24 hours is not carried out again. Default: a new key.",
            rich_help_panel=_SEND,
        ),
    ] = None
    output: OutputOption = None
