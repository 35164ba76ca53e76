"""Words for calls of `export` that no signature allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from persona_cases.errors import QueryTypeError

__all__ = ["with_named_destination"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_RIGHT: str = 'write export(to="cases.jsonl") or export(where, to="cases.jsonl")'


def with_named_destination(
    method: Callable[Concatenate[S, P], Awaitable[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Let a method say where the path belongs if it comes first, second, or not at all."""

    async def export(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if args and isinstance(args[0], str):
            raise QueryTypeError(f"export: the first argument is a search expression, not the path of a file: {_RIGHT}")
        if len(args) > 1:
            raise QueryTypeError(f"export: the destination must be named: {_RIGHT}")
        if "to" not in kwargs:
            raise QueryTypeError(f"export: the destination is missing: {_RIGHT}")
        return await method(self, *args, **kwargs)

    update_wrapper(export, method)
    return export
