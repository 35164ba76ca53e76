"""The sections of a help page: options, arguments and commands under the headings that they were given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["write_commands", "write_parameters"]

Section = dict[str, list[tuple[str, str]]]


def write_parameters(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """Write the arguments and options of a command, each under its heading.

    Args:
        parameters: parameters of typer, in the order in which they are shown.
        ctx: the context of the command.
        formatter: writes the page.
    """
    sections: Section = {}
    for parameter in parameters:
        if (record := parameter.get_help_record(ctx)) is None:
            continue
        name, what = record
        if parameter.param_type_name == "argument":
            # Typer puts the Python type beside it.
            sections.setdefault("Arguments", []).append((name.partition(" <")[0], what))
        else:
            sections.setdefault(parameter.rich_help_panel or "Options", []).append((name, what))
    _write(sections, formatter)


def write_commands(commands: Iterable[Any], formatter: Any) -> None:
    """Write the commands of a group, each under its heading and with the first line of its help."""
    sections: Section = {}
    for command in commands:
        summary = command.help.partition("\n")[0]
        sections.setdefault(command.rich_help_panel or "Commands", []).append((command.name, summary))
    _write(sections, formatter)


def _write(sections: Section, formatter: Any) -> None:
    for heading, rows in sections.items():
        with formatter.section(heading):
            formatter.write_dl(rows)
