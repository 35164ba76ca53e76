"""Small mistakes in a module, one at a time, as syntax trees."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
Change = Callable[[ast.AST], None]


@attrs.frozen
class Mutant:
    """One mistake.

    Attributes:
        path: the module, from the root of the repository.
        lines: those of the changed expression, then those of the statement's head.
        outside: whether it is in no function, so that it takes effect when the module is imported.
        before: the line's expression or statement as it is written.
        after: as the mistake has it.
        tree: the whole module with the mistake.
    """

    path: str
    lines: tuple[range, range]
    outside: bool
    before: str
    after: str
    tree: ast.Module = attrs.field(eq=False, repr=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0].start}: {self.before}  ->  {self.after}"


@attrs.frozen
class Place:
    """Where a mistake can be made.

    Attributes:
        path: the module, from the root of the repository.
        node: the number of the node in it.
        change: the number of the change, of those that the node allows.
        name: what tells it from all others, and stays the same while its statement does.
    """

    path: str
    node: int
    change: int
    name: str


def places_in(root: Path, path: str) -> Iterator[Place]:
    """Every place of a module where this tool can make a mistake."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    silent = _without_effect(tree)
    statement_of = {id(node): each for each in ast.walk(tree) if isinstance(each, ast.stmt) for node in ast.walk(each)}
    texts = {id(each): _first_line(each) for each in ast.walk(tree) if isinstance(each, ast.stmt)}
    seen = Counter[str]()
    for index, node in enumerate(_numbered(tree)):
        for number in range(0 if id(node) in silent else len(_changes(node))):
            name = f"{path}: {texts[id(statement_of[id(node)])]}"
            seen[name] += 1
            yield Place(path, index, number, f"{name} {seen[name]}")


def sample(places: Iterable[Place], seed: int, size: int) -> list[Place]:
    """Choose places at random, but nearly the same ones as long as nearly the same ones are there."""
    return sorted(places, key=lambda place: hashlib.sha256(f"{seed} {place.name}".encode()).digest())[:size]


def mutant_at(root: Path, place: Place) -> Mutant:
    """Make the mistake of a place."""
    tree = ast.parse((root / place.path).read_text(encoding="utf-8"))
    node = _numbered(tree)[place.node]
    shown = _statement_around(tree, node)
    before = _first_line(shown)
    _changes(node)[place.change](node)
    ast.fix_missing_locations(tree)
    lines = _lines_of(node) or _lines_of(shown), _lines_of(shown)
    return Mutant(place.path, lines, not _in_function(tree, node), before, _first_line(shown), tree)


def _numbered(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def _without_effect(tree: ast.Module) -> set[int]:
    """Nodes whose change says nothing: types, the texts of errors, and what is public."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        for part in _silent_parts(node):
            silent.update(id(below) for below in ast.walk(part))
    return silent


def _silent_parts(node: ast.AST) -> list[ast.AST]:
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr():
            return [node]
        case ast.AnnAssign(annotation=annotation):
            alias = isinstance(annotation, ast.Name) and annotation.id == "TypeAlias"
            return [node] if alias else [annotation]
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return [node]
        case ast.arg(annotation=ast.AST() as annotation):
            return [annotation]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.decorator_list, *([node.returns] if node.returns else [])]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *node.keywords]
        case ast.Subscript(slice=inner):
            return [inner] if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr) else []
        case ast.Call(func=ast.Name(id="cast" | "TypeVar")):
            return node.args[:1]
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return [node]
        case ast.match_case(pattern=pattern):
            return [pattern]
        case _:
            return []


def _changes(node: ast.AST) -> list[Change]:
    match node:
        case ast.Compare():
            return [
                _replaced_operator(index, other)
                for index, operator in enumerate(node.ops)
                for other in _COMPARISONS[type(operator)]
            ]
        case ast.BoolOp():
            return [_setting("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return [_setting("op", _ARITHMETIC[type(node.op)]())]
        case ast.UnaryOp(op=ast.Not()):
            return [_drop_not]
        case ast.Constant(value=bool() as value):
            return [_setting("value", not value)]
        case ast.Constant(value=int() as value):
            return [_setting("value", value + 1)]
        case ast.Return(value=ast.AST() as value) if not _is_false(value):
            return [_setting("value", ast.Constant(None))]
        case ast.If() | ast.IfExp() | ast.While():
            return [_negate_test]
        case ast.comprehension(ifs=[_, *_]):
            return [_setting("ifs", [])]
        case _:
            return []


def _is_false(value: ast.AST) -> bool:
    """Whether it is None, or what `if` takes for the same."""
    return isinstance(value, ast.Constant) and (value.value is None or value.value is False)


def _setting(name: str, value: object) -> Change:
    return lambda node: setattr(node, name, value)


def _replaced_operator(index: int, other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops[index] = other()

    return change


def _drop_not(node: ast.AST) -> None:
    # `not not x` is the truth of x: the complement of what stands there.
    assert isinstance(node, ast.UnaryOp)
    node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _negate_test(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _statement_around(tree: ast.Module, node: ast.AST) -> ast.AST:
    """The smallest statement or clause around a node, so that a mistake is found again when lines move."""
    return [each for each in ast.walk(tree) if isinstance(each, ast.stmt) and any(it is node for it in ast.walk(each))][
        -1
    ]


def _lines_of(node: ast.AST) -> range:
    """The lines of an expression; of a statement with others inside, those before them; none for an operator."""
    if not isinstance(node, ast.expr | ast.stmt):
        return range(0)
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if isinstance(node, ast.stmt) and body else node.end_lineno or node.lineno
    return range(node.lineno, max(last, node.lineno) + 1)


def _in_function(tree: ast.Module, node: ast.AST) -> bool:
    bodies = [
        part
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in (function.body if isinstance(function.body, list) else [function.body])
    ]
    return any(it is node for part in bodies for it in ast.walk(part))


def _first_line(statement: ast.AST) -> str:
    """A simple statement as a whole; of one that has others inside, what stands before them."""
    return ast.unparse(statement).partition("\n")[0]
