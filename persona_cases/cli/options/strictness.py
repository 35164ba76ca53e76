"""One check for all options of all commands: nothing on a command line is dropped or misread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any, Final, Protocol, cast

from typer.core import TyperCommand, TyperGroup

from persona_cases.cli.screen.help_page import write_commands, write_parameters
from persona_cases.errors import InvalidArgumentError

__all__ = ["Parameter", "StrictCommand", "StrictGroup", "parameter_name", "takes_several"]

# Paths may have names that are not UTF-8, and a JSON document has its own check.
_PATHS: Final = frozenset({"PATH", "DIR", "@FILE"})
# Flags of other programs take these words; after a flag here, they would be read as an id or a text.
_SWITCHES: Final = frozenset({"true", "false"})


class Parameter(Protocol):
    """The attributes used of an option or argument of typer."""

    name: str | None
    opts: list[str]
    metavar: str | None
    is_eager: bool
    required: bool
    param_type_name: str


class StrictGroup(TyperGroup):
    """A group of commands whose help shows flags without a value."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, with `--help`."""
        return _without_values(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands and the options, under their headings."""
        write_commands(self.commands.values(), formatter)
        write_parameters(self.get_params(ctx), ctx, formatter)


class StrictCommand(TyperCommand):
    """A command that rejects repeated options, empty values, values for flags, and text that is not UTF-8.

    The parser underneath keeps the last of several values. Scripts pass an empty value if a variable is not set.
    """

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, with `--help`; flags are shown without a value."""
        return _without_values(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options, under their headings."""
        write_parameters(self.get_params(ctx), ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the command line, then let typer read it.

        Raises:
            InvalidArgumentError: if something would be dropped or misread.
        """
        if not ctx.resilient_parsing:
            values, _, given = self.make_parser(ctx).parse_args(args=list(args))
            _check_flags(args, cast("list[Parameter]", given))
            _check(cast("Mapping[str, object]", values), cast("list[Parameter]", given))
        return super().parse_args(ctx, args)


def is_flag(parameter: Parameter) -> bool:
    """Whether a parameter is an option without a value."""
    return bool(getattr(parameter, "is_flag", False))


def takes_several(parameter: Parameter) -> bool:
    """Whether a parameter can be repeated, with one value each time."""
    return bool(getattr(parameter, "multiple", False))


def parameter_name(parameter: Parameter) -> str:
    """Return the name that users know: `--limit`, or the metavar of an argument."""
    if parameter.param_type_name == "argument":
        return parameter.metavar or (parameter.name or "").upper()
    return max(parameter.opts, key=len)


def _without_values(parameters: Any) -> Any:
    # Some versions of typer show a type beside a flag, as if it took a value.
    for parameter in filter(is_flag, parameters):
        parameter.metavar = ""
    return parameters


def _check_flags(args: Sequence[str], given: Iterable[Parameter]) -> None:
    flags = {name for parameter in given if is_flag(parameter) for name in parameter.opts}
    for name, word in pairwise(takewhile(lambda arg: arg != "--", args)):
        if name in flags and word.lower() in _SWITCHES:
            raise InvalidArgumentError(f"{name} takes no value: give {name} alone, or leave it out")


def _check(values: Mapping[str, object], given: Iterable[Parameter]) -> None:
    times = Counter(map(id, given))
    parameters = {id(each): each for each in given}
    if any(each.is_eager for each in parameters.values()):
        # `--help` always wins.
        return
    for key, parameter in parameters.items():
        if times[key] > 1 and not takes_several(parameter):
            raise InvalidArgumentError(f"{parameter_name(parameter)} can be given only once: {_instead(parameter)}")
        for text in _texts(values.get(parameter.name or "")):
            _check_text(parameter, text)


def _check_text(parameter: Parameter, text: str) -> None:
    if not text.strip():
        leave_out = "" if parameter.required else ", or leave it out"
        raise InvalidArgumentError(f"{parameter_name(parameter)} is empty: give a value{leave_out}")
    if not _is_path(parameter):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{parameter_name(parameter)} must be UTF-8 text") from None


def _is_path(parameter: Parameter) -> bool:
    return any(kind in _PATHS for kind in (parameter.metavar or "").split("|"))


def _instead(parameter: Parameter) -> str:
    if (parameter.metavar or "").endswith(",…"):
        return "separate the names with commas"
    return "keep one of them"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in cast("Iterable[object]", value):
            yield from _texts(each)
