"""Groups of options: a command takes a group as one parameter, and each field of the group is an option."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast, get_type_hints

import attrs

__all__ = ["with_options"]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Turn each parameter that is annotated with an attrs class into one option per field.

    Typer makes one option per parameter, so it sees a signature with the groups spread out.
    """
    groups: dict[str, type[Any]] = {}
    shown: list[inspect.Parameter] = []
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        if attrs.has(hints[name]):
            groups[name] = hints[name]
            shown.extend(_spread(hints[name]))
        else:
            shown.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    def spread_command(**given: Any) -> None:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in attrs.fields(group)})
            for name, group in groups.items()
        }
        command(**made, **given)

    spread_command.__name__, spread_command.__doc__ = command.__name__, command.__doc__
    cast("Any", spread_command).__signature__ = inspect.Signature(shown)
    return spread_command


def _spread(group: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in attrs.fields(group):
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
