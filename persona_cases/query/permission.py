"""What a stranger may ask for: the check of an expression that came from outside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from persona_cases.errors import InvalidArgumentError, QueryError
from persona_cases.query.attributes import custom_key
from persona_cases.query.nodes import Comparison, Predicate, as_node
from persona_cases.query.pointers import Place

__all__ = ["check"]

ANY_FIELD: Final = "fields.*"
_MOST_SHOWN: Final = 20


def check(predicate: Predicate, allow: object, max_depth: object, max_leaves: object) -> None:
    """Refuse an expression that asks for more than it may; the first place, as it is read, is named."""
    allowed = None if allow is None else _names(allow)
    deepest = None if max_depth is None else _count("max_depth", max_depth, least=0)
    most = None if max_leaves is None else _count("max_leaves", max_leaves, least=1)
    leaves = 0
    pending = [Place(as_node(predicate))]
    while pending:
        place = pending.pop()
        if isinstance(place.node, Comparison):
            leaves += 1
            if most is not None and leaves > most:
                raise _refusal(f"the expression has more comparisons than allowed: use at most {most}", place.pointer)
            if allowed is not None and not _may_ask(place.node.attribute, allowed):
                raise _refusal(_forbidden(allowed), f"{place.pointer}/attribute")
            continue
        if deepest is not None and place.depth >= deepest:
            raise _refusal(f"the expression nests deeper than allowed: use at most {deepest} levels", place.pointer)
        pending.extend(reversed(place.below()))


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


def _count(argument: str, value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{argument} must be a whole number of at least {least}")
    return value
