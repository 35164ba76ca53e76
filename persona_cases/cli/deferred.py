"""Commands that are imported when they are called: help and completion of the program load none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand

from persona_cases.cli.examples import epilog
from persona_cases.cli.options.strictness import StrictCommand, StrictGroup

__all__ = ["SETTINGS", "Command", "DeferredGroup", "Group", "Listed", "defer"]

SETTINGS: Final = {"help_option_names": ["-h", "--help"]}
_COMMANDS: Final = "persona_cases.cli.commands"


class Command(NamedTuple):
    """A command as the help of the program lists it.

    Attributes:
        name: what users type.
        home: its function, as `module.function` in `cli/commands/`.
        summary: the first line of the function's docstring, which is not loaded for the list.
    """

    name: str
    home: str
    summary: str


class Group(NamedTuple):
    """Commands under a common word, such as `tag add`."""

    name: str
    commands: tuple[Command, ...]
    summary: str


Listed = Command | Group


class DeferredGroup(StrictGroup):
    """A group that loads a command when it is called, or asked for its help."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments begin with, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, _Deferred) else command, rest


class _Deferred(TyperCommand):
    def __init__(self, name: str, summary: str, panel: str | None, load: Callable[[], Any]) -> None:
        super().__init__(name, help=summary, rich_help_panel=panel)
        self.load = load


def defer(listed: Iterable[Listed], group: Any, *, panel: str | None = None, path: str = "") -> None:
    """Add commands to a group.

    Args:
        listed: the commands, in the order of the help.
        group: where to add them.
        panel: the heading under which the help lists them.
        path: the words that lead to the group, with a space after each.
    """
    for each in listed:
        group.add_command(_deferred(each, panel, path))


def _deferred(listed: Listed, panel: str | None, path: str) -> _Deferred:
    @cache
    def load() -> Any:
        return _load_command(listed, path) if isinstance(listed, Command) else _make_group(listed)

    return _Deferred(listed.name, listed.summary, panel, load)


def _load_command(command: Command, path: str) -> Any:
    from persona_cases.cli.options.spreading import with_options  # noqa: PLC0415 - needs attrs, which takes as long as all else

    module, _, function = command.home.partition(".")
    app = _typer()
    act: Callable[..., None] = getattr(import_module(f"{_COMMANDS}.{module}"), function)
    app.command(command.name, cls=StrictCommand, epilog=epilog(path + command.name))(with_options(act))
    return typer.main.get_command(app)


def _make_group(group: Group) -> Any:
    app = _typer(cls=DeferredGroup, no_args_is_help=True, help=group.summary, name=group.name)
    app.callback()(lambda: None)
    made = typer.main.get_command(app)
    defer(group.commands, made, path=f"{group.name} ")
    return made


def _typer(**settings: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
        **settings,
    )
