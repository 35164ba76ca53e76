"""Run chosen tests in a process that imports one module with its mistake; what to do comes as JSON on stdin."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from mutation.mutants import Place, mutant_at
from mutation.pytest_options import OPTIONS, limit_examples, register_profile
from mutation.running import NOTICED, UNNOTICED
from mutation.swapping import MistakenFinder


class _Chosen:
    def __init__(self, tests: list[str]) -> None:
        self._tests = tests

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = {item.nodeid: item for item in items}
        items[:] = [found[test] for test in self._tests if test in found]
        limit_examples(items)


def main() -> None:
    """End with whether a test noticed."""
    order = json.load(sys.stdin)
    root = Path(order["root"])
    sys.meta_path.insert(0, MistakenFinder(root, mutant_at(root, Place(*order["place"]))))
    register_profile()
    files = {test.partition("::")[0]: None for test in order["tests"]}
    outcome = pytest.main([*OPTIONS, "-x", *files], plugins=[_Chosen(order["tests"])])
    os._exit(UNNOTICED if outcome == pytest.ExitCode.OK else NOTICED)


if __name__ == "__main__":
    main()
