"""The tests' own rules: they lie where the rooms are called, and touch no private names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from test_house import MAY_IMPORT, NAMES, ROOMS
from test_public_names import MODULES as PUBLIC_MODULES

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

PUBLIC = set(PUBLIC_MODULES) | {"persona_cases.integrations"}

# Values that rooms take from the rooms below and hand on: a test makes them as the room above does. They are open to
# the tests of each room that may import theirs.
VALUES = {
    "models.decoding.raw_page",  # pages as lines, and the times of cases as whole milliseconds
    "models.decoding.sound_page",  # what can still be read of a case that cannot be decoded
    "models.decoding.undecodable",  # such a case, in a page
    "protocol.call_options",  # the options of a call
    "protocol.window",  # the window that limiters keep
}

# What else tests import from inside another room, by file.
EXCEPTIONS = {
    # Makes what a client is made of, without the client.
    "bare_api.py": {
        *("protocol.addresses.urls", "protocol.call_options", "protocol.secret"),
        *("resources.endpoint", "transport.calls_under_way", "transport.file_hosts", "transport.limits.admission"),
        *("transport.network", "transport.pipeline", "transport.session"),
    },
    # Hold the lock that another export, or another sync, would hold.
    "cli/test_cli_purge.py": {"export.spool.workplace"},
    "cli/test_cli_sync.py": {"mirror.targets.mirror_lock"},
    # A generated class declares the columns of its template.
    "codegen/test_generated_modules.py": {"export.columns.choice"},
    # Listens where the simulator answers; tests and client are to notice nothing.
    "conformance/overhearing.py": {"testing.endpoints.answering"},
    # Runs the commands of the pages.
    "docs/test_pages.py": {"cli"},
    # Export from the sources of a client, which are made above the room.
    "export/collecting.py": {"resources.exporting.search_source"},
    "export/test_collector.py": {"resources.exporting.search_source"},
    "export/test_set_aside.py": {"resources.exporting.list_source", "resources.exporting.search_source"},
    # Each attribute that is decoded has a column.
    "export/test_columns.py": {"models.decoding.records"},
    # The pages on faults say what the table of the library says.
    "faults/table.py": {"protocol.repeats"},
    # The cells of a mirror are those of an export.
    "mirror/test_mirror_rooms.py": {"export.columns.cells"},
    # Downloads in a time that only waits move.
    "resources/test_changing.py": {"transport.calls_under_way", "transport.file_hosts"},
    # A list refuses what cannot be decided locally, and nothing else.
    "resources/test_listing.py": {"query.matching"},
    # An API that sends the same pages again, and how often a walk allows that.
    "resources/test_raw_walks.py": {"models.decoding.records", "paging.walk_progress"},
    # Learns of each key that a client is made with.
    "secrecy/overhearing.py": {"protocol.secret"},
    # All that the simulator invents about people.
    "secrecy/secrets.py": {"testing.world.catalog", "testing.world.field_values"},
    # The representations of inner values.
    "secrecy/test_pure_values.py": {
        *("models.decoding.raw_page", "models.decoding.undecodable", "models.included"),
        *("protocol.addresses.proxies", "protocol.call_options", "protocol.secret"),
    },
    # The simulator's window, without HTTP.
    "transport/vendor.py": {"testing.gates.rate_window"},
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
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def modules_imported(path: Path) -> set[str]:
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` imports the module.
            found |= whole & NAMES
            found |= {node.module} if whole - NAMES else set()
    return {name for name in found if name.split(".")[0] == "persona_cases"}


def deep_imports_of(path: Path) -> set[str]:
    """Return the modules of other rooms that a file imports, without those that are public."""
    inner = {name.removeprefix("persona_cases.") for name in modules_imported(path) - PUBLIC}
    return {name for name in inner if room_of(name) != room_tested_by(path)}


def room_of(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def room_tested_by(path: Path) -> str:
    return path.relative_to(TESTS).parts[0]


def values_for(path: Path) -> set[str]:
    known = MAY_IMPORT.get(room_tested_by(path), set())
    return {name for name in VALUES if room_of(name) in known}


def test_each_directory_is_called_like_a_room_or_tests_the_whole():
    directories = {path.relative_to(TESTS).parts[0] for path in FILES if path.parent != TESTS}
    assert WHOLE <= directories <= ROOMS | WHOLE
    assert not ROOMS & WHOLE


def test_tests_touch_no_private_names():
    touched = {name_of(path): names for path in FILES if (names := private_names_of(path) - NOT_PRIVATE)}
    assert touched == PRIVATE
    assert set().union(*map(private_names_of, FILES)) >= NOT_PRIVATE


def test_tests_import_public_names_or_their_own_room():
    reached = {name_of(path): found for path in FILES if (found := deep_imports_of(path) - values_for(path))}
    assert reached == EXCEPTIONS


def test_no_value_outlives_its_reason():
    assert set().union(*(deep_imports_of(path) & values_for(path) for path in FILES)) == VALUES
