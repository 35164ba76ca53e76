"""The work of `template` and `limits`: the `template` and `limits` commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import attrs
import msgspec
from rich import box
from rich.table import Table

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection, Format
from persona_cases.cli.screen.output import form_of, json_writer
from persona_cases.cli.screen.stdout_console import StdoutConsole
from persona_cases.cli.screen.terminal import visible
from persona_cases.models import CaseTemplate, FieldSchema

__all__ = ["show_limits", "show_template"]

Row = Iterable[object]


async def show_template(id: str, output: Format | None, connection: Connection) -> ExitCode:
    """Print a case template, or a table of its custom fields."""
    async with connected(connection) as there:
        template = await there.persona.case_templates.get(id)
    columns = ("key", "type", "label", "options")
    # Type and id come first, as in responses of the API.
    document = {"type": template.type, "id": template.id, **template.to_dict()}
    _print([document], output, columns, lambda: _fields(template))
    return ExitCode.OK


async def show_limits(output: Format | None, connection: Connection) -> ExitCode:
    """Print how much of the rate limits is used."""
    async with connected(connection) as there:
        limits = [attrs.asdict(limit) for limit in await there.persona.rate_limits()]
    columns = ("type", "limit", "remaining", "seconds_to_reset")
    _print(limits, output, columns, lambda: [[limit[column] for column in columns] for limit in limits])
    return ExitCode.OK


def _print(
    documents: Sequence[Mapping[str, Any]],
    output: Format | None,
    columns: Sequence[str],
    rows: Callable[[], Iterable[Row]],
) -> None:
    form = form_of(output, Format.PRETTY)
    if form is Format.TABLE:
        StdoutConsole().print(_table(columns, rows()))
        return
    writer = json_writer(form, msgspec.json.encode)
    writer.write(documents)
    writer.finish()


def _table(columns: Sequence[str], rows: Iterable[Row]) -> Table:
    table = Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*(visible(str(each)) for each in row))
    return table


def _fields(template: CaseTemplate) -> Iterable[Row]:
    for field in template.field_schemas:
        yield field.key, field.type, field.label or "", ", ".join(_options(field))


def _options(field: FieldSchema) -> Iterable[str]:
    options: object = field.config.get("options")
    return map(str, cast("list[object]", options)) if isinstance(options, list) else ()
