"""The tests' own rules: they lie where the rooms are called, and touch no private names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from test_house import MAY_IMPORT, PACKAGE, ROOMS

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("*.py"))

# Tests of the whole library, from outside or across all rooms.
WHOLE = {
    "architecture",
    "changing",
    "conformance",
    "docs",
    "faults",
    "mutation",
    "network",
    "secrecy",
    "typing",
    "wire",
}

# What is public wherever a test stands; the rooms behind these names are not.
PACKAGES = (path.parent.name for path in PACKAGE.glob("*/__init__.py"))
PUBLIC_MODULES = {"persona_cases"} | {
    f"persona_cases.{name}" for name in ("changes", "errors", "limits", "observers", *PACKAGES)
}

# A test of a room may need the room that calls it, or one that its own room does not know.
ROOM_EXCEPTIONS = {
    "export": {"resources"},
    "transport": {"testing"},
    "codegen": {"export"},
}

# Private names that have no public way in, by file.
PRIVATE = {
    # Where hypothesis keeps the settings of a test; it offers no way to read them.
    "mutation/pytest_options.py": {"_hypothesis_internal_use_settings"},
}
# `NamedTuple._replace` and `os._exit` are public; the third is of the class beside it.
NOT_PRIVATE = {"_replace", "_exit", "_errors"}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def name_of(path: Path) -> str:
    return path.relative_to(TESTS).as_posix()


def private_names_of(path: Path) -> set[str]:
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        ):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("persona_cases"):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("_") and not name.startswith("__")} - NOT_PRIVATE


def deep_imports_of(path: Path) -> set[str]:
    """Return the rooms into whose modules a file reaches, past their public names."""
    modules = {
        node.module
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("persona_cases")
    }
    return {module.split(".")[1] for module in modules - PUBLIC_MODULES}


def test_each_directory_is_called_like_a_room_or_tests_the_whole():
    directories = {path.relative_to(TESTS).parts[0] for path in FILES if path.parent != TESTS}
    assert directories <= ROOMS | WHOLE
    assert not ROOMS & WHOLE


def test_tests_touch_no_private_names():
    touched = {name_of(path): names for path in FILES if (names := private_names_of(path))}
    assert touched == PRIVATE


def test_tests_of_a_room_reach_into_what_the_room_knows():
    strangers = set()
    for path in FILES:
        room = name_of(path).split("/")[0]
        if room in ROOMS:
            known = {room} | MAY_IMPORT[room] | ROOM_EXCEPTIONS.get(room, set())
            strangers |= {(name_of(path), each) for each in deep_imports_of(path) - known}
    assert strangers == set()


def test_no_exception_outlives_its_reason():
    for room, others in ROOM_EXCEPTIONS.items():
        reached = {each for path in FILES if name_of(path).startswith(f"{room}/") for each in deep_imports_of(path)}
        assert others <= reached
