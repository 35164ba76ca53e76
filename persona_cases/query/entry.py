"""The check at every door through which a predicate comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from persona_cases.errors import QueryTypeError
from persona_cases.query.field import Field
from persona_cases.query.nodes import Predicate

__all__ = ["as_predicate", "as_predicates"]


def as_predicate(where: object, argument: str = "where") -> Predicate:
    """Give back a predicate, or say what to write instead of something else.

    Args:
        where: what the caller passed.
        argument: how the caller's parameter is called, for the message.

    Raises:
        QueryTypeError: it is not a predicate.
    """
    if isinstance(where, Predicate):
        return where
    raise QueryTypeError(f"{argument} must be a search expression, not {type(where).__name__}: {_remedy(where)}")


def as_predicates(parts: object, argument: str) -> list[Predicate]:
    """Give back an iterable of predicates as a list, or say which item is none."""
    if isinstance(parts, Predicate) or not isinstance(parts, Iterable):
        raise QueryTypeError(f"{argument} takes a list of search expressions: write Q.{argument}([...])")
    if isinstance(parts, str | Mapping):
        raise QueryTypeError(f"{argument} takes a list of search expressions: {_remedy(cast('object', parts))}")
    items = cast("Iterable[object]", parts)
    return [as_predicate(item, f"item {index} of {argument}") for index, item in enumerate(items)]


def _remedy(where: object) -> str:
    match where:
        case bool():
            return "`==` and `in` do not make one, use .eq(...) and .in_([...])"
        case str():
            return "read the text form with parse(...)"
        case Field():
            return f"compare the attribute with a value, such as {where!r}.eq(...)"
        case Mapping():
            return "read the API's JSON with Predicate.from_dict(...)"
        case _:
            return "make one with Q, such as Q.status.eq('open')"
