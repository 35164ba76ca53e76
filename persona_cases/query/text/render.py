"""Predicates as text, in two spellings of one shape: the Python that makes them, and the text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from persona_cases.query.attributes import attribute_named, spell, spell_untyped
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Operator, Predicate, as_node
from persona_cases.query.values import Scalar

__all__ = ["to_python", "to_text"]

Piece: TypeAlias = "Node | str"


class _Spelling(NamedTuple):
    """The words of one language.

    Attributes:
        negation: what stands before a negated node.
        infix: what stands between the parts of a junction.
        function: what a junction is called where the infix would not make it.
        comparison: writes a leaf.
        membership: writes a disjunction of equalities of one attribute.
    """

    negation: str
    infix: Mapping[type[Node], str]
    function: Mapping[type[Node], str]
    comparison: Callable[[Comparison], str]
    membership: Callable[[str, Sequence[Scalar]], str]


def to_python(predicate: Predicate) -> str:
    """The expression over `Q` that makes this predicate."""
    return _written(predicate, _PYTHON)


def to_text(predicate: Predicate) -> str:
    """The text form, which `parse` reads."""
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
            yield spelling.comparison(node)
        case Not(part):
            yield spelling.negation
            yield from _operand(part)
        case AllOf() | AnyOf() if alternatives := _alternatives(node):
            yield spelling.membership(*alternatives)
        case AllOf() | AnyOf() if _is_infix(node):
            yield from _between(spelling.infix[type(node)], [_operand(part) for part in node.parts])
        case AllOf() | AnyOf():
            yield f"{spelling.function[type(node)]}(["
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
    """Whether the infix would make exactly this node: it needs two parts, and it merges nodes of one kind."""
    return (
        isinstance(node, AllOf | AnyOf)
        and len(node.parts) > 1
        and not any(isinstance(part, type(node)) for part in node.parts)
        and not _alternatives(node)
    )


def _alternatives(node: Node) -> tuple[str, list[Scalar]] | None:
    """The attribute and the values, if the node is what `in_` makes of two values or more."""
    if not isinstance(node, AnyOf) or len(node.parts) < 2:
        return None
    leaves = [part for part in node.parts if isinstance(part, Comparison) and part.operator == "eq"]
    names = {leaf.attribute for leaf in leaves}
    if len(leaves) < len(node.parts) or len(names) > 1:
        return None
    return names.pop(), [leaf.value for leaf in leaves]


def _path(name: str, values: Iterable[Scalar]) -> str:
    # JSON may hold what the typed attributes refuse, such as a status of 5; the untyped spelling takes it back.
    attribute = attribute_named(name)
    return spell(name) if all(map(attribute.accepts, values)) else spell_untyped(name)


def _text_path(name: str, values: Iterable[Scalar]) -> str:
    return _path(name, values).removeprefix("Q.")


def _python_comparison(leaf: Comparison) -> str:
    return f"{_path(leaf.attribute, [leaf.value])}.{leaf.operator}({leaf.value!r})"


def _python_membership(name: str, values: Sequence[Scalar]) -> str:
    return f"{_path(name, values)}.in_({list(values)!r})"


def _text_comparison(leaf: Comparison) -> str:
    return f"{_text_path(leaf.attribute, [leaf.value])} {_TEXT_OPERATORS[leaf.operator]} {leaf.value!r}"


def _text_membership(name: str, values: Sequence[Scalar]) -> str:
    return f"{_text_path(name, values)} in {list(values)!r}"


_TEXT_OPERATORS: Final[Mapping[Operator, str]] = {"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

_PYTHON: Final = _Spelling(
    negation="~",
    infix={AllOf: " & ", AnyOf: " | "},
    function={AllOf: "Q.all_of", AnyOf: "Q.any_of"},
    comparison=_python_comparison,
    membership=_python_membership,
)
_TEXT: Final = _Spelling(
    negation="not ",
    infix={AllOf: " and ", AnyOf: " or "},
    function={AllOf: "all", AnyOf: "any"},
    comparison=_text_comparison,
    membership=_text_membership,
)
