"""Messages for a command line that typer rejects: pure.

Typer quotes what was typed. That may be personal data, such as a comment with a typo before it, so it is left out.
"""

from __future__ import annotations

import re
from typing import Final, cast

import typer

from persona_cases.cli.options.strictness import Parameter, parameter_name
from persona_cases.cli.screen.terminal import visible

__all__ = ["UsageError", "refusal"]

UsageError: Final = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""What typer raises for an invalid command line. The class has no public name."""

_OPTION = re.compile(r"--?[A-Za-z][A-Za-z0-9-]*")
# Typer's messages, which quote the value and differ between its versions, and our words for them.
_VERDICTS: Final = (
    (re.compile(r".* is not (one of .+)", re.DOTALL), "must be {}"),
    (re.compile(r".*(does not exist|is a directory|is not readable)", re.DOTALL), "names a file that {}"),
    (re.compile(r"Input should be ([\w ]+)(?:,.*)?", re.DOTALL), "must be {}"),
    (re.compile(r".* (is not (?:in the range .+|a valid [\w ]+))", re.DOTALL), "{}"),
)


def refusal(error: typer.BadParameter, program: str) -> tuple[str, ...]:
    """Return the lines of the error message, without the values that were typed.

    Args:
        error: any `UsageError`.
        program: the name of the program.
    """
    said = visible(f"error: {_reason(error)}")
    if getattr(error, "param", None) is not None:
        return (said,)
    path = program if error.ctx is None else error.ctx.command_path
    return said, visible(f"hint: see {path} --help")


def _reason(error: typer.BadParameter) -> str:
    option: str | None = getattr(error, "option_name", None)
    parameter: Parameter | None = getattr(error, "param", None)
    message = error.format_message()
    if parameter is not None:
        name = parameter_name(parameter)
        return f"{name} {_verdict(error.message) if error.message else 'is missing'}"
    if option is not None and message.startswith("No such option"):
        return _unknown_option(option, getattr(error, "possibilities", None) or ())
    if option is not None and "requires" in message:
        return f"{option} needs a value"
    if option is not None and "does not take a value" in message:
        return f"{option} takes no value: give {option} alone, or leave it out"
    if "extra argument" in message:
        return "too many arguments: put quotes around a value that has spaces in it"
    return message.rstrip(".")


def _verdict(message: str) -> str:
    for pattern, words in _VERDICTS:
        if (match := pattern.fullmatch(message.rstrip("."))) is not None:
            return words.format(match[1])
    return "has a value that is not allowed"


def _unknown_option(option: str, nearest: tuple[str, ...]) -> str:
    shown = option if _OPTION.fullmatch(option) else "of that name"
    meant = f": did you mean {' or '.join(sorted(nearest))}?" if nearest else ""
    return f"there is no option {shown}{meant}"
