"""Finding everything that can be reached from an object."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["reachable"]

_LOOKED_INTO = ("persona_cases", "asyncio", "_asyncio", "functools")
_FUNCTIONS = types.FunctionType | types.MethodType | types.CoroutineType
_CONTAINERS = tuple | list | dict | set | frozenset
_ENDS = str | bytes | int | float | type | types.ModuleType


def reachable(roots: Iterable[object]) -> Iterator[object]:
    """Give all that can be reached; other libraries' objects are not looked into."""
    waiting, seen = list(roots), {}
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, _ENDS):
            continue
        # Kept, so that no other object gets the same id.
        seen[id(value)] = value
        ours = type(value).__module__.startswith(_LOOKED_INTO) or isinstance(value, BaseException)
        if ours or isinstance(value, _FUNCTIONS):
            yield value
        elif not isinstance(value, _CONTAINERS):
            continue
        waiting += _attributes_of(value)
        waiting += _contents_of(value)


def _attributes_of(value: object) -> Iterator[object]:
    if hasattr(value, "__dict__"):
        yield from vars(value).values()
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        yield from (getattr(value, name, None) for name in ((slots,) if isinstance(slots, str) else slots))


def _contents_of(value: object) -> Iterator[object]:
    match value:
        case Mapping():
            yield from value.values()
        case tuple() | list() | set() | frozenset():
            yield from value
        case types.FunctionType():
            yield from (cell.cell_contents for cell in value.__closure__ or ())
        case types.MethodType():
            yield value.__self__
        case functools.partial():
            yield from (value.func, *value.args, *value.keywords.values())
        case types.CoroutineType():
            yield from value.cr_frame.f_locals.values() if value.cr_frame else ()
            yield value.cr_await
        case asyncio.Task():
            yield value.get_coro()
        case BaseException():
            yield from (value.__cause__, value.__context__)
        case _:
            pass
