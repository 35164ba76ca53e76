"""Put a mistake into modules: into one that is loaded already, or into one that will be."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import types
from collections.abc import Iterator
from pathlib import Path

from mutation.mutants import Mutant


def swap(root: Path, mutant: Mutant) -> bool:
    """Give the functions that exist the code of the mistake; False if that cannot say all of it."""
    if mutant.outside:
        return False
    file = str(root / mutant.path)
    codes: dict[tuple[str, int], types.CodeType | None] = {}
    for code in _codes(compile(mutant.tree, file, "exec")):
        key = code.co_qualname, code.co_firstlineno
        # Two lambdas on one line cannot be told apart.
        codes[key] = None if key in codes else code
    changed = False
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and function.__code__.co_filename == file:
            new = codes.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
            if new is not None and new.co_freevars == function.__code__.co_freevars:
                changed = changed or new != function.__code__
                function.__code__ = new
    return changed


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield inner
            yield from _codes(inner)


class MistakenFinder(importlib.abc.MetaPathFinder):
    """Finds one module with its mistake, for processes that have not imported it yet."""

    def __init__(self, root: Path, mutant: Mutant) -> None:
        self._name = mutant.path.removesuffix(".py").replace("/", ".")
        self._path = str(root / mutant.path)
        self._code = compile(mutant.tree, self._path, "exec")

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, _Loader(fullname, self._path, self._code))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: types.CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> types.CodeType:
        return self._code
