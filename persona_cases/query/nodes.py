"""The tree of a search expression: four kinds of node, frozen, hashable, and of any width and depth.

`Comparison` is the leaf, `AllOf` the conjunction, `AnyOf` the disjunction, `Not` the negation. An empty `AllOf` matches
every case, an empty `AnyOf` none. Nothing in this room recurses: every pass over a tree is a `fold`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, NoReturn, Protocol, TypeAlias, TypeVar, cast, final, get_args

import attrs

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.query.attributes import CaseLike, require_name, scalar_for
from persona_cases.query.values import Scalar

__all__ = [
    "AllOf",
    "AnyOf",
    "Comparison",
    "Junction",
    "Node",
    "Not",
    "Operator",
    "Predicate",
    "as_node",
    "fold",
    "fold_nodes",
]

Operator: TypeAlias = Literal["eq", "gt", "gte", "lt", "lte"]
OPERATORS: Final[tuple[str, ...]] = get_args(Operator)

Node: TypeAlias = "Comparison | Not | AllOf | AnyOf"
Token: TypeAlias = tuple[str, Operator, Scalar, str | None] | tuple[str, int]
N = TypeVar("N")
T = TypeVar("T")

MYPY: Final = False
"""True only for mypy, which knows this name. A `__bool__` that never returns would make it skip the code after it."""


class Methods(Protocol):
    """The implementations of `Predicate` methods that live in other files of this room.

    Those files import the nodes, so the nodes cannot import them; `query/__init__.py` passes them to `carry_out`.
    """

    def to_dict(self, predicate: Predicate, /) -> dict[str, Any]: ...
    def from_dict(self, obj: object, /) -> Predicate: ...
    def check(self, predicate: Predicate, allow: object, max_depth: object, max_leaves: object, /) -> None: ...
    def simplify(self, predicate: Predicate, /) -> Predicate: ...
    def to_nnf(self, predicate: Predicate, /) -> Predicate: ...
    def matches(self, predicate: Predicate, case: CaseLike | Mapping[str, Any], /) -> bool: ...
    def to_python(self, predicate: Predicate, /) -> str: ...
    def to_text(self, predicate: Predicate, /) -> str: ...


class Predicate:
    """A search expression. Make one with `Q`, `parse` or `Predicate.from_dict`; combine with `&`, `|` and `~`.

    Predicates are equal if they are written alike, not if they mean the same: `a & b` does not equal `b & a`, and
    `eq(1)` equals neither `eq(True)` nor `eq(1.0)`.
    """

    __slots__ = ()
    _methods: ClassVar[Methods]
    _hash: int | None

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes directly below this one."""
        raise NotImplementedError

    @property
    def depth(self) -> int:
        """Levels of boolean nodes: 0 for a comparison, 1 for `~comparison`, and so on."""
        return fold_nodes(self, _depth)

    @staticmethod
    def from_dict(obj: object) -> Predicate:
        """Read the API's search JSON. The tree stays as it is written.

        Args:
            obj: the `query` of a search request, as `json.loads` returns it.

        Returns:
            The expression.

        Raises:
            QueryError: if it is not a search expression; `pointer` and the message say where.

        See https://docs.withpersona.com/api-reference/cases/search-cases.
        """
        return Predicate._methods.from_dict(obj)

    def to_dict(self) -> dict[str, Any]:
        """Return the API's search JSON for the tree exactly as written: nothing is flattened, sorted or dropped."""
        return self._methods.to_dict(self)

    def check(
        self, *, allow: Collection[str] | None = None, max_depth: int | None = None, max_leaves: int | None = None
    ) -> None:
        """Raise if an expression uses more than you allow, such as one from a request to your own service.

        Args:
            allow: names of the attributes that it may compare; `fields.*` means every custom field. Default: all.
            max_depth: maximum number of levels of boolean nodes, as `depth` counts them. Default: no limit.
            max_leaves: maximum number of comparisons. Default: no limit.

        Raises:
            QueryError: if the expression uses more; `pointer` says where. The message does not quote the expression.
            InvalidArgumentError: if an argument has the wrong type, or a limit is too low.
        """
        self._methods.check(self, allow, max_depth, max_leaves)

    def simplify(self) -> Predicate:
        """Return an expression that matches the same cases and is never deeper.

        It merges nested nodes of one kind, and drops duplicates, double negations, constants, and redundant parts
        (`a & (a | b)`).
        """
        return self._methods.simplify(self)

    def to_nnf(self) -> Predicate:
        """Return the negation normal form: the same meaning, with `~` only directly before comparisons."""
        return self._methods.to_nnf(self)

    def matches(self, case: CaseLike | Mapping[str, Any]) -> bool:
        """Evaluate the expression on one case, with the API's logic and without a request.

        A comparison with a missing or null attribute is false, and `~` is the plain complement. Every comparison is
        evaluated, so one that cannot be decided always raises.

        Args:
            case: a `Case`, or a case as plain API JSON in any inflection, with or without its `data` envelope.

        Returns:
            Whether the case matches.

        Raises:
            QueryError: if the case does not show the value to compare (`state`, `tag_id`, a user id where the case
                shows an email address, a custom field that holds an array or an object, an unknown attribute).
            NotLoadedError: if the `Case` was fetched without an attribute that the expression compares.
        """
        return self._methods.matches(self, case)

    def __and__(self, other: Predicate) -> Predicate:
        return _joined(AllOf, self, other) if _is_predicate(other) else NotImplemented

    def __or__(self, other: Predicate) -> Predicate:
        return _joined(AnyOf, self, other) if _is_predicate(other) else NotImplemented

    def __invert__(self) -> Predicate:
        return Not(as_node(self))

    if not MYPY:

        def __bool__(self) -> NoReturn:
            raise QueryTypeError(
                "a search expression is neither true nor false: combine with & | ~ instead of `and`, `or`, `not`,"
                " write ranges with .between(), test with `is None`"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Predicate):
            return NotImplemented
        pairs: list[tuple[Predicate, Predicate]] = [(self, other)]
        while pairs:
            left, right = pairs.pop()
            if left is right:
                continue
            if _identity(left) != _identity(right):
                return False
            pairs.extend(zip(left.parts, right.parts, strict=True))
        return True

    def __hash__(self) -> int:
        return fold(as_node(self), _parts_without_hash, _remembered_hash) if self._hash is None else self._hash

    def __repr__(self) -> str:
        return self._methods.to_python(self)

    def __str__(self) -> str:
        return self._methods.to_text(self)

    def __copy__(self) -> Predicate:
        return self

    def __deepcopy__(self, memo: object) -> Predicate:
        return self

    def __getstate__(self) -> tuple[Token, ...]:
        # A flat list in postfix order, because pickle itself would recurse into nested nodes.
        tokens: list[Token] = []
        fold_nodes(self, lambda node, _: tokens.append(_token(node)))
        return tuple(tokens)

    def __setstate__(self, tokens: tuple[Token, ...]) -> None:
        built = _from_tokens(tokens)
        for field in attrs.fields(type(built)):
            object.__setattr__(self, field.name, getattr(built, field.name))


@final
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class Comparison(Predicate):
    """One attribute compared with one value.

    Attributes:
        attribute: its API name; `fields.<key>` for a custom field.
        operator: `eq`, `gt`, `gte`, `lt` or `lte`; the API has no others.
        value: a JSON scalar.
        relative: a relative time as written, for `in_last` and `now()`; None for other values. It is neither sent nor
            compared.
    """

    attribute: str
    operator: Operator
    value: Scalar
    relative: str | None = attrs.field(default=None, kw_only=True)
    _hash: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise QueryError(f"an operator must be one of {', '.join(OPERATORS)}")
        object.__setattr__(self, "attribute", require_name(self.attribute))
        object.__setattr__(self, "value", scalar_for(self.attribute, self.value))

    @property
    def parts(self) -> tuple[Node, ...]:
        """Always empty, because a comparison is a leaf."""
        return ()


@final
@attrs.frozen(eq=False, repr=False, getstate_setstate=False)
class Not(Predicate):
    """The complement: matches the cases that `part` does not match, including those without the attribute."""

    part: Node
    _hash: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        _require_node(self.part, "Not")

    @property
    def parts(self) -> tuple[Node, ...]:
        """The one node below."""
        return (self.part,)


@attrs.frozen(eq=False, repr=False, init=False, getstate_setstate=False)
class Junction(Predicate):
    """The common base of `AllOf` and `AnyOf`: any number of parts.

    `&` and `|` only store their two operands; `parts` collects them on first use. So a chain costs one small node per
    step, whichever side it grows on. Copying the parts at each step would be quadratic.
    """

    word: ClassVar[Literal["and", "or"]]
    _laid_out: tuple[Node, ...] | None
    _operands: tuple[Node, Node] | None
    _hash: int | None

    def __init__(self, parts: Iterable[Predicate] = ()) -> None:
        kind = type(self).__name__
        self._init(tuple(_require_node(part, kind) for part in parts), None)

    def _init(self, laid_out: tuple[Node, ...] | None, operands: tuple[Node, Node] | None) -> None:
        object.__setattr__(self, "_laid_out", laid_out)
        object.__setattr__(self, "_operands", operands)
        object.__setattr__(self, "_hash", None)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes directly below this one, in the order written."""
        if self._laid_out is None:
            object.__setattr__(self, "_laid_out", tuple(self._lay_out()))
            object.__setattr__(self, "_operands", None)
        return cast("tuple[Node, ...]", self._laid_out)

    def _lay_out(self) -> Iterable[Node]:
        pending: list[Node] = [as_node(self)]
        while pending:
            node = pending.pop()
            if not isinstance(node, Junction) or node.word != self.word:
                yield node
                continue
            # Another thread may collect the same parts: read the operands once, and clear them only after setting the
            # parts.
            operands = node._operands
            if operands is None:
                yield from node.parts
            else:
                pending.extend(reversed(operands))


@final
@attrs.frozen(eq=False, repr=False, init=False, getstate_setstate=False)
class AllOf(Junction):
    """Matches where all parts match; without parts, every case."""

    word: ClassVar[Literal["and", "or"]] = "and"


@final
@attrs.frozen(eq=False, repr=False, init=False, getstate_setstate=False)
class AnyOf(Junction):
    """Matches where at least one part matches; without parts, no case."""

    word: ClassVar[Literal["and", "or"]] = "or"


def carry_out(methods: Methods) -> None:
    """Set the implementations of the methods of `Predicate`, once."""
    Predicate._methods = methods


def fold(root: N, children: Callable[[N], Sequence[N]], combine: Callable[[N, list[T]], T]) -> T:
    """Reduce a tree from its leaves to its root, left to right, at any depth.

    Args:
        root: the root.
        children: returns the direct children of a node; called once per node, before theirs.
        combine: returns a node's result from the results of its children.
    """
    results: list[T] = []
    pending: list[tuple[N, int | None]] = [(root, None)]
    while pending:
        node, arity = pending.pop()
        if arity is None:
            below = children(node)
            if not below:
                results.append(combine(node, []))
                continue
            pending.append((node, len(below)))
            pending.extend([(child, None) for child in reversed(below)])
        else:
            results[-arity:] = [combine(node, results[-arity:])]
    return results.pop()


def fold_nodes(root: Predicate, combine: Callable[[Node, list[T]], T]) -> T:
    """Reduce an expression from its leaves to its root, left to right, at any depth."""
    return fold(as_node(root), _parts, combine)


def leaves_of(root: Predicate) -> list[Comparison]:
    """Return the comparisons of an expression, left to right."""
    found: list[Comparison] = []

    def note(node: Node, _: list[None]) -> None:
        if isinstance(node, Comparison):
            found.append(node)

    fold_nodes(root, note)
    return found


def _is_predicate(value: object) -> bool:
    return isinstance(value, Predicate)


def _joined(kind: type[AllOf | AnyOf], left: Predicate, right: Predicate) -> Predicate:
    joined = kind.__new__(kind)
    joined._init(None, (as_node(left), as_node(right)))
    return joined


def as_node(predicate: Predicate) -> Node:
    """Return a predicate as one of the four kinds, so that type checkers can prove each `match` complete."""
    return cast("Node", predicate)


def _require_node(part: object, kind: str) -> Node:
    if not isinstance(part, Predicate):
        raise QueryTypeError(
            f"{kind} is made of search expressions such as Q.status.eq('open'), not of {type(part).__name__}"
        )
    return as_node(part)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts


def _depth(node: Node, depths: list[int]) -> int:
    return 0 if isinstance(node, Comparison) else 1 + max(depths, default=0)


def _identity(node: Predicate) -> tuple[object, ...]:
    """Return a value that is equal for equal nodes, not counting their parts."""
    # The type of the value counts: 1, 1.0 and True are equal in Python but different in JSON.
    if isinstance(node, Comparison):
        return node.attribute, node.operator, type(node.value), node.value
    return type(node), len(node.parts)


def _parts_without_hash(node: Node) -> tuple[Node, ...]:
    return node.parts if node._hash is None else ()


def _remembered_hash(node: Node, hashes: list[int]) -> int:
    if node._hash is None:
        object.__setattr__(node, "_hash", hash((*_identity(node), *hashes)))
    return cast("int", node._hash)


def _token(node: Node) -> Token:
    match node:
        case Comparison():
            return node.attribute, node.operator, node.value, node.relative
        case Not():
            return "not", 1
        case AllOf() | AnyOf():
            return node.word, len(node.parts)


def _from_tokens(tokens: Iterable[Token]) -> Node:
    built: list[Node] = []
    for token in tokens:
        match token:
            case (str(attribute), operator, value, relative):
                built.append(Comparison(attribute, operator, value, relative=relative))
            case (str(word), int(arity)):
                first = len(built) - arity
                built[first:] = [_from_parts(word, built[first:])]
    return built.pop()


def _from_parts(word: str, parts: list[Node]) -> Node:
    if word == "not":
        return Not(*parts)
    return AllOf(parts) if word == AllOf.word else AnyOf(parts)
