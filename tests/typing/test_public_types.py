"""Queries, changes and generated classes for mypy and pyright: right usage passes, each wrong line is an error."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("query_right", "query_wrong", "changes_right", "changes_wrong", "our_cases", "typed_right", "typed_wrong")
FIXTURES = [Path(__file__).with_name(f"{name}.py") for name in NAMES]
MARK = re.compile(r"# error(?:: (\w+))?$")


def expected_errors(checker: str) -> set[tuple[str, int]]:
    return {
        (path.name, number)
        for path in FIXTURES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (mark := MARK.search(line)) and mark[1] in (None, checker)
    }


def run(checker: str, *arguments: str) -> str:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed: it comes with the `types` dependency group")
    command = [sys.executable, "-m", checker, *arguments, *map(str, FIXTURES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_mypy_finds_exactly_the_marked_lines():
    reports = [json.loads(line) for line in run("mypy", "--output=json").splitlines() if line.startswith("{")]
    # mypy also reports what is wrong in the modules that are imported; that is for the check of the package.
    names = {path.name for path in FIXTURES}
    errors = [report for report in reports if report["severity"] == "error"]
    found = {(name, report["line"]) for report in errors if (name := Path(report["file"]).name) in names}
    assert found == expected_errors("mypy")


def test_pyright_finds_exactly_the_marked_lines():
    reports = json.loads(run("pyright", "--outputjson"))["generalDiagnostics"]
    found = {
        (Path(report["file"]).name, report["range"]["start"]["line"] + 1)
        for report in reports
        if report["severity"] == "error"
    }
    assert found == expected_errors("pyright")
