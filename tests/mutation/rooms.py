"""Which tests speak for which module; the fastest and closest first, because the first failure ends a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["modules", "tests_of"]

ROOMS: dict[str, Sequence[str]] = {
    "persona_cases/query": ("tests/query",),
    "persona_cases/protocol": ("tests/protocol",),
    "persona_cases/paging": ("tests/paging",),
    "persona_cases/models": ("tests/models",),
    "persona_cases/export/columns": ("tests/export/test_columns.py", "tests/export/test_column_types.py"),
    "persona_cases/export/frontier.py": ("tests/export/test_frontier.py",),
    "persona_cases/export/quantities.py": ("tests/export/test_report.py",),
    "persona_cases/export/ranges.py": ("tests/export/test_ranges.py",),
    "persona_cases/export/report.py": ("tests/export/test_report.py",),
    "persona_cases/export/splitting.py": ("tests/export/test_splitting.py",),
    "persona_cases/export/stretch.py": ("tests/export/test_frontier.py", "tests/export/test_checkpoint.py"),
}

CLOSEST: dict[str, Sequence[str]] = {
    "query/ranges": ("tests/query/test_ranges_table.py",),
    "query/evaluation": ("tests/query/test_truth_table.py",),
    "query/matching": ("tests/query/test_query_matches.py",),
    "query/parser": ("tests/query/test_query_text.py", "tests/query/test_relative_times.py"),
    "query/lexer": ("tests/query/test_query_text.py",),
    "query/relative": ("tests/query/test_relative_times.py",),
    "query/moments": ("tests/query/test_query_fields.py",),
    "query/field": ("tests/query/test_query_fields.py",),
    "query/values": ("tests/query/test_query_fields.py",),
    "query/permission": ("tests/query/test_permission.py",),
    "query/packing": ("tests/query/test_packing.py", "tests/query/test_planner.py"),
    "query/covers": ("tests/query/test_planner.py",),
    "query/blocks": ("tests/query/test_planner.py",),
    "query/blame": ("tests/query/test_planner.py",),
    "query/nesting": ("tests/query/test_planner.py",),
    "query/planner": ("tests/query/test_planner.py",),
    "protocol/window": ("tests/protocol/test_window.py",),
    "protocol/retry": ("tests/protocol/test_retry.py",),
    "protocol/urls": ("tests/protocol/test_urls.py",),
    "protocol/outcome": ("tests/protocol/test_outcome.py",),
    "paging/merge": ("tests/paging/test_merge.py",),
    "paging/cursor": ("tests/paging/test_merged_cursors.py",),
    "models/spelling": ("tests/models/test_spelling.py",),
    "models/decode": ("tests/models/test_two_paths.py",),
}


def modules(root: Path) -> Iterator[str]:
    """The pure modules, from the root of the repository."""
    for room in ROOMS:
        place = root / room
        found = sorted(place.glob("*.py")) if place.is_dir() else [place]
        yield from (str(path.relative_to(root)) for path in found if path.name != "__init__.py" and path.is_file())


def tests_of(path: str, root: Path) -> list[str]:
    """The tests to run for a module, in that order."""
    closest = next((tests for name, tests in CLOSEST.items() if path == f"persona_cases/{name}.py"), ())
    room = next(tests for name, tests in ROOMS.items() if path.startswith(name))
    files = [file for each in room for file in (sorted((root / each).glob("test_*.py")) or [root / each])]
    rest = [str(file.relative_to(root)) for file in files if str(file.relative_to(root)) not in closest]
    return [*(test for test in closest if (root / test).exists()), *rest]
