"""The house's own rules, read from the source itself."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "persona_cases"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each room may import of ours, beside itself. `__init__` at the top only re-exports.
PURE = {
    "surface",
    "errors",
    "teaching",
    "name_prefixes",
    "query",
    "models",
    "protocol",
    "typed",
    "json_values",
    "changes",
}
MAY_IMPORT = {
    "surface": set(),
    "errors": {"surface"},
    "teaching": {"errors"},
    "name_prefixes": set(),
    "query": {"surface", "errors", "teaching", "name_prefixes"},
    "models": {"surface", "errors", "teaching", "name_prefixes"},
    "protocol": {"surface", "errors", "teaching"},
    "typed": {"surface", "errors", "teaching", "name_prefixes", "query", "models"},
    "codegen": {"errors", "models", "typed"},
    "transport": PURE,
    "json_values": {"errors", "protocol"},
    "changes": PURE - {"changes"},
    "limits": {"surface", "protocol", "transport"},
    "observers": {"surface", "protocol"},
    "paging": PURE | {"transport"},
    "export": PURE | {"transport", "paging"},
    "mirror": PURE | {"export"},
    "resources": PURE | {"transport", "paging", "export", "mirror"},
    "client": PURE | {"transport", "paging", "export", "resources"},
    "testing": PURE,
    "webhooks": PURE,
    "integrations": PURE | {"paging", "client", "webhooks", "limits", "observers", "<top>"},
    "cli": PURE | {"transport", "paging", "export", "mirror", "resources", "client", "testing", "codegen", "<top>"},
    "__main__": {"cli"},
}
# A simulator makes a client for the tests of its users, when they ask for one.
EXCEPTIONS = {
    "testing/clients.py": {"client", "transport"},
    "testing/simulator.py": {"client"},
    "testing/simulator_server.py": {"client"},
    "testing/pytest_plugin.py": {"<top>"},
}

NO_IO = {
    "aiohttp",
    "aiolimiter",
    "asyncio",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "random",
    "os",
    "logging",
}
# Before Python 3.12, only asyncio can mark a function as async. Paths have a type of `os`.
NO_IO_EXCEPTIONS = {"teaching.py": {"asyncio"}, "changes/change_values.py": {"os"}}
HTTP_ROOMS = {"transport", "testing"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            # `from package import room` imports the room.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


ROOMS = {room_of(module) for module in MODULES}


def rooms_imported(path: Path) -> set[str]:
    rooms = set()
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "persona_cases":
            rooms.add(parts[1] if parts[1] in ROOMS else "<top>")
    return rooms


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def may_import(path: Path) -> set[str]:
    room = room_of(path)
    return MAY_IMPORT[room] | {room} | EXCEPTIONS.get(name_of(path), set())


def test_imports_run_one_way():
    below = [path for path in MODULES if path != PACKAGE / "__init__.py"]
    upward = {name_of(path): rooms_imported(path) - may_import(path) for path in below}
    assert {name: rooms for name, rooms in upward.items() if rooms} == {}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_of(module) for module in MODULES}


def modules_imported(path: Path) -> set[str]:
    """Our modules that a file imports anywhere, for type checkers alone too, without the packages around them."""
    named = {name if name in NAMES else name.rpartition(".")[0] for name in imports_of(path)}
    return (named & NAMES) - {module_of(path)}


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_circle_between_files():
    assert circle_in({module_of(path): modules_imported(path) for path in MODULES}) == []


def test_a_circle_is_found():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})


PURE_MODULES = [path for path in MODULES if room_of(path) in PURE | {"codegen"}]


def packages_imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def test_pure_rooms_do_no_io():
    used = {(name_of(path), each) for path in PURE_MODULES for each in packages_imported(path) & NO_IO}
    assert used == {(name, each) for name, allowed in NO_IO_EXCEPTIONS.items() for each in allowed}


def test_pure_rooms_have_no_clock():
    called = {
        (name_of(path), node.func.attr)
        for path in PURE_MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    # The one clock of the pure rooms is `current_time` there, and `in_last(now=...)` does without it.
    assert {name for name, method in called if method in {"now", "utcnow", "today"}} == {"query/relative.py"}


def test_aiohttp_stays_in_its_rooms():
    others = [path for path in MODULES if room_of(path) not in HTTP_ROOMS]
    users = [name_of(path) for path in others if packages_imported(path) & {"aiohttp", "yarl", "multidict"}]
    assert users == ["integrations/aiohttp.py"]


def test_files_stay_small():
    lines = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 450} == {}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines the body of a function has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1


def test_functions_fit_a_screen():
    lengths = {
        f"{name_of(path)}: {node.name}": lines_of(node)
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length >= 60} == {}


FOLDERS = sorted({module.parent for module in MODULES})
MOST_FILES = 15


def test_a_folder_can_be_taken_in_at_a_glance():
    own = {name_of(folder): sum(path.name != "__init__.py" for path in folder.glob("*.py")) for folder in FOLDERS}
    assert {name: files for name, files in own.items() if files > MOST_FILES} == {}


def test_a_file_is_found_by_its_name_alone():
    names = Counter(path.name for path in MODULES if path.name != "__init__.py")
    assert not [name for name, times in names.items() if times > 1]


def classes_in(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_")


# The databases of a mirror are alike on purpose. A connection leads to a database, or is a group of options.
ALIKE = {"Connection", "Database"}


def test_no_exception_for_a_class_outlives_its_reason():
    times = Counter(name for path in MODULES if room_of(path) != "testing" for name in classes_in(path))
    assert {name for name in ALIKE if times[name] > 1} == ALIKE


def test_a_class_is_found_by_its_name_alone():
    # The simulator has names of its own for what it knows of the vendor.
    times = Counter(name for path in MODULES if room_of(path) != "testing" for name in classes_in(path))
    assert sorted(name for name in times if times[name] > 1 and name not in ALIKE) == []


def texts_in(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("prefix", ["fields.", "extra.", "relationships."])
def test_the_prefix_of_a_name_is_written_once(prefix):
    # The simulator stands for the vendor, so it keeps its own.
    ours = [path for path in MODULES if room_of(path) != "testing"]
    written = {name_of(path) for path in ours for text in texts_in(path) if text in {prefix, f"{prefix}*"}}
    assert written == {"name_prefixes.py"}


def test_every_module_says_what_it_is_for():
    assert [name_of(path) for path in MODULES if not ast.get_docstring(tree_of(path))] == []


def test_the_package_imports_without_any_extra():
    import subprocess
    import sys

    program = (
        "import sys\n"
        "extras = 'typer rich pytest aioresponses fastapi orjson redis pyarrow duckdb psycopg'\n"
        "for name in extras.split(): sys.modules[name] = None\n"
        "from persona_cases import *\n"
        "from persona_cases.testing import *\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)
