"""Public names for public objects: in reprs, tracebacks and pickles, wherever an object is defined.

The rooms of this library may move, but the public modules stay. So the module or package that defines a public class or
function sets its `__module__` to the public module. Public modules that re-export from heavy rooms import each name on
first use.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazily", "publish"]


def publish(module: str, *public: Any) -> None:
    """Give classes and functions the public module in which users find them.

    Call it where all names in the annotations of the classes have been imported. `typing.get_type_hints`,
    `attrs.resolve_types` and others evaluate annotations in the module that `__module__` names, where they would not
    find them. So the annotations are evaluated here, before `__module__` changes.

    Args:
        module: the name of a public module that has all of them in `__all__`.
        public: classes and functions.
    """
    for each in public:
        if isinstance(each, type):
            # Without `locals`, an attribute called `type` would hide the builtin.
            each.__annotations__ = inspect.get_annotations(each, eval_str=True, locals={})
        each.__module__ = module


def lazily(
    package: str, homes: Mapping[str, tuple[str, ...]], modules: tuple[str, ...] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` of a module that imports its public names on first use.

    Args:
        package: the name of the module.
        homes: the module to import each name from.
        modules: submodules that can be used without an import statement.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    this = sys.modules[package]

    def get(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=this)
        value = getattr(import_module(home_of[name]), name)
        setattr(this, name, value)
        return value

    def names() -> list[str]:
        return sorted(this.__all__)

    return get, names
