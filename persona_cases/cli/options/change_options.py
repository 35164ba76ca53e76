"""The options of the commands that change cases, in groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import attrs

from persona_cases.cli.options.option_groups import OutputOption, under

__all__ = ["Creation", "CsvOption", "FieldValues", "Posting", "Updating"]

_change: Final = under("What to set")
_send: Final = under("How to send it")

QueueOption: TypeAlias = Annotated[str | None, _change(metavar="ID", help="Put the case in this queue.")]
SlaOption: TypeAlias = Annotated[
    str | None, _change(metavar="2h|90m|7200", help="Time until the SLA expires, up to 90d.")
]
CsvOption: TypeAlias = Annotated[
    str | None,
    _change(
        metavar="PATH|-",
        help="Set custom fields of each case from a CSV file: a column id, and KEY or KEY:json for each field.",
    ),
]


@attrs.frozen(kw_only=True)
class FieldValues:
    """Values of custom fields."""

    field: Annotated[
        list[str] | None, _change(metavar="KEY=TEXT", help="Set a custom field to a string. Repeat for more fields.")
    ] = None
    field_json: Annotated[
        list[str] | None,
        _change(metavar="KEY=JSON", help="Set a custom field to a number, true, false, null, a list or an object."),
    ] = None
    fields_json: Annotated[
        str | None,
        _change(
            metavar="JSON|@FILE|-",
            help="Set custom fields from a JSON object: inline, from a file, or from stdin.",
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Creation:
    """The attributes of a new case, apart from custom fields."""

    queue: QueueOption = None
    creator: Annotated[str | None, _change(metavar="EMAIL", help="Show this user as the creator.")] = None
    object: Annotated[
        list[str] | None,
        _change(metavar="ID", help="Attach an account, inquiry, report or other object. Repeat for more."),
    ] = None
    sla: SlaOption = None


@attrs.frozen(kw_only=True)
class Updating:
    """The attributes to change, apart from custom fields."""

    queue: QueueOption = None
    no_queue: Annotated[bool, _change("--no-queue", help="Take the case out of its queue.")] = False
    sla: SlaOption = None
    no_sla: Annotated[bool, _change("--no-sla", help="Clear the SLA.")] = False
    attach: Annotated[
        list[Path] | None,
        _change(
            metavar="PATH", exists=True, dir_okay=False, readable=True, help="Add a PDF or an image. Repeat for more."
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Posting:
    """How a change is sent, and its result printed."""

    idempotency_key: Annotated[
        str | None,
        _send(
            metavar="KEY",
            help="The API applies a key only once within 24 hours. Default: a new key.",
        ),
    ] = None
    output: OutputOption = None
