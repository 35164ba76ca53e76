"""Rendering of predicates, as Python code and in the text form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from persona_cases.query.attributes import attribute_named, spell, spell_untyped
from persona_cases.query.nodes import OPERATORS, AllOf, AnyOf, Comparison, Node, Not, Predicate, as_node
from persona_cases.query.values import Scalar

__all__ = ["to_python", "to_text"]

Piece: TypeAlias = "Node | str"


class _Spelling(NamedTuple):
    """The words of one language; the formats take the `path`, `values` and `operator` of a leaf."""

    prefix: str
    negation: str
    infix: Mapping[type[Node], str]
    function: Mapping[type[Node], str]
    operators: Mapping[str, str]
    comparison: str
    membership: str


_PYTHON: Final = _Spelling(
    prefix="Q.",
    negation="~",
    infix={AllOf: " & ", AnyOf: " | "},
    function={AllOf: "all_of", AnyOf: "any_of"},
    operators={name: name for name in OPERATORS},
    comparison="{path}.{operator}({values!r})",
    membership="{path}.in_({values!r})",
)
_TEXT: Final = _Spelling(
    prefix="",
    negation="not ",
    infix={AllOf: " and ", AnyOf: " or "},
    function={AllOf: "all", AnyOf: "any"},
    operators={"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="},
    comparison="{path} {operator} {values!r}",
    membership="{path} in {values!r}",
)


def to_python(predicate: Predicate) -> str:
    """Return the Python expression with `Q` that makes this predicate."""
    return _written(predicate, _PYTHON)


def to_text(predicate: Predicate) -> str:
    """Return the text form, which `parse` accepts."""
    return _written(predicate, _TEXT)


def _written(predicate: Predicate, spelling: _Spelling) -> str:
    written: list[str] = []
    pending: list[Piece] = [as_node(predicate)]
    while pending:
        piece = pending.pop()
        if isinstance(piece, str):
            written.append(piece)
        else:
            pending.extend(reversed(list(_pieces(piece, spelling))))
    return "".join(written)


def _pieces(node: Node, spelling: _Spelling) -> Iterator[Piece]:
    match node:
        case Comparison():
            path, operator = _path(node.attribute, [node.value], spelling), spelling.operators[node.operator]
            yield spelling.comparison.format(path=path, operator=operator, values=node.value)
        case Not(part):
            yield spelling.negation
            yield from _operand(part)
        case AllOf() | AnyOf() if alternatives := _alternatives(node):
            name, values = alternatives
            yield spelling.membership.format(path=_path(name, values, spelling), values=values)
        case AllOf() | AnyOf() if _is_infix(node):
            yield from _between(spelling.infix[type(node)], [_operand(part) for part in node.parts])
        case AllOf() | AnyOf():
            yield f"{spelling.prefix}{spelling.function[type(node)]}(["
            yield from _between(", ", [(part,) for part in node.parts])
            yield "])"


def _between(separator: str, items: Iterable[Iterable[Piece]]) -> Iterator[Piece]:
    for index, item in enumerate(items):
        if index:
            yield separator
        yield from item


def _operand(node: Node) -> tuple[Piece, ...]:
    return ("(", node, ")") if _is_infix(node) else (node,)


def _is_infix(node: Node) -> bool:
    """Return whether the infix operator would make exactly this node: it takes two parts and merges equal kinds."""
    return (
        isinstance(node, AllOf | AnyOf)
        and len(node.parts) > 1
        and not any(isinstance(part, type(node)) for part in node.parts)
        and not _alternatives(node)
    )


def _alternatives(node: Node) -> tuple[str, list[Scalar]] | None:
    """Return the attribute and the values if the node is the form of `in_` with two or more values."""
    if not isinstance(node, AnyOf) or len(node.parts) < 2:
        return None
    leaves = [part for part in node.parts if isinstance(part, Comparison) and part.operator == "eq"]
    names = {leaf.attribute for leaf in leaves}
    if len(leaves) < len(node.parts) or len(names) > 1:
        return None
    return names.pop(), [leaf.value for leaf in leaves]


def _path(name: str, values: Iterable[Scalar], spelling: _Spelling) -> str:
    # JSON may hold values that typed attributes reject, such as a status of 5; the untyped form accepts them.
    accepted = all(map(attribute_named(name).accepts, values))
    return spelling.prefix + (spell(name) if accepted else spell_untyped(name)).removeprefix("Q.")
