"""Checks of the predicates that callers pass: their type, and the attributes and sizes that are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from persona_cases.errors import InvalidArgumentError, QueryError, QueryTypeError
from persona_cases.name_prefixes import CUSTOM, custom_key
from persona_cases.query.field import Field
from persona_cases.query.nodes import Comparison, Predicate
from persona_cases.query.values import whole_number

__all__ = ["as_predicate", "as_predicates", "check"]

ANY_FIELD: Final = f"{CUSTOM}*"
_MOST_SHOWN: Final = 20


def as_predicate(where: object, argument: str = "where") -> Predicate:
    """Return the predicate that a caller passed, or raise an error that says what to write instead."""
    if isinstance(where, Predicate):
        return where
    raise QueryTypeError(f"{argument} must be a search expression, not {type(where).__name__}: {_remedy(where)}")


def as_predicates(parts: object, argument: str) -> list[Predicate]:
    """Return an iterable of predicates as a list, or raise an error that names the item that is not one."""
    if isinstance(parts, Predicate) or not isinstance(parts, Iterable):
        raise QueryTypeError(f"{argument} takes a list of search expressions: write Q.{argument}([...])")
    if isinstance(parts, str | Mapping):
        raise QueryTypeError(f"{argument} takes a list of search expressions: {_remedy(cast('object', parts))}")
    items = cast("Iterable[object]", parts)
    return [as_predicate(item, f"item {index} of {argument}") for index, item in enumerate(items)]


def _remedy(where: object) -> str:
    match where:
        case bool():
            return "`==` and `in` do not make one: use .eq(...) and .in_([...])"
        case str():
            return "read the text form with parse(...)"
        case Field():
            return f"compare the attribute with a value, such as {where!r}.eq(...)"
        case Mapping():
            return "read the API's JSON with Predicate.from_dict(...)"
        case type() if isinstance(getattr(where, "cases", None), Predicate):
            return f"the clause of a generated class is {where.__name__}.cases"
        case _:
            return "make one with Q, such as Q.status.eq('open')"


def check(predicate: Predicate, allow: object, max_depth: object, max_leaves: object) -> None:
    """Raise if an expression uses more than is allowed; the error points to the first such place."""
    from persona_cases.query.predicate_json import placed_nodes  # noqa: PLC0415 - few programs limit expressions

    allowed = None if allow is None else _names(allow)
    deepest = None if max_depth is None else whole_number("max_depth", max_depth, 0)
    most = None if max_leaves is None else whole_number("max_leaves", max_leaves, 1)
    leaves = 0
    for placed in placed_nodes(predicate):
        if isinstance(placed.node, Comparison):
            leaves += 1
            if most is not None and leaves > most:
                raise _refusal(f"the expression has more comparisons than allowed: use at most {most}", placed.pointer)
            if allowed is not None and not _may_ask(placed.node.attribute, allowed):
                raise _refusal(_forbidden(allowed), f"{placed.pointer}/attribute")
        elif deepest is not None and placed.depth >= deepest:
            raise _refusal(f"the expression nests deeper than allowed: use at most {deepest} levels", placed.pointer)


def _may_ask(attribute: str, allowed: frozenset[str]) -> bool:
    return attribute in allowed or (ANY_FIELD in allowed and custom_key(attribute) is not None)


def _refusal(reason: str, pointer: str) -> QueryError:
    return QueryError(f"{reason} (at {pointer or 'the root'})", pointer=pointer)


def _forbidden(allowed: frozenset[str]) -> str:
    if not allowed:
        return "no attribute may be searched for: ask without a comparison"
    names = sorted(allowed)
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"this attribute may not be searched for: choose one of {', '.join(names[:_MOST_SHOWN])}{more}"


def _names(allow: object) -> frozenset[str]:
    names = None if isinstance(allow, str) or not isinstance(allow, Iterable) else list(cast("Iterable[object]", allow))
    if names is None or not all(isinstance(name, str) for name in names):
        raise InvalidArgumentError("allow takes a set of attribute names, such as {'status', 'fields.priority'}")
    return frozenset(cast("list[str]", names))
