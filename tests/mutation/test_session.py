"""The whole session, on a project of three functions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

MODULE = """\
LIMIT = 3
SPARE = 5

def is_small(number):
    return number < LIMIT

def positive(number):
    return number if number > 0 else 0

def unused(number):
    return number + 1
"""
TEST = """\
from sample.numbers import is_small, positive

def test_small():
    assert is_small(2) is True
    assert is_small(3) is False

def test_positive():
    assert positive(5) == 5
    assert positive(-5) == 0
"""
SETTINGS = """\
modules = ["sample/*.py"]
tests = ["checks"]

[[explained]]
module = "sample/numbers.py"
before = "return number if number > 0 else 0"
after = "return number if number >= 0 else 0"
reason = "of two zeros, either is right"
"""


def mutation(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mutation", "--root", project, "--settings", project / "mutation.toml", *options]
    paths = os.pathsep.join([str(TESTS), str(project), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False, timeout=300
    )


def test_the_mistakes_that_no_test_notices_are_named(tmp_path: Path) -> None:
    for name, text in {"sample/numbers.py": MODULE, "checks/test_numbers.py": TEST, "mutation.toml": SETTINGS}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "sample/__init__.py").touch()

    ended = mutation(tmp_path)

    survived = {line.removeprefix("survived: ") for line in ended.stdout.splitlines() if line.startswith("survived")}
    assert survived == {
        # A test reaches the module, and none cares.
        "sample/numbers.py:2: SPARE = 5  ->  SPARE = 6",
        # The line is reached, and its boundary is not.
        "sample/numbers.py:8: return number if number > 0 else 0  ->  return number if number > 1 else 0",
        # No test reaches the line.
        "sample/numbers.py:11: return number + 1  ->  return number - 1",
        "sample/numbers.py:11: return number + 1  ->  return number + 2",
        "sample/numbers.py:11: return number + 1  ->  return None",
    }, ended.stderr
    assert ended.stdout.splitlines()[-1] == "14 made, 5 noticed by no test: 64.3% noticed or explained"
    assert ended.returncode == 1


def test_tests_that_fail_without_a_mistake_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample/numbers.py").write_text("ONE = 1\n", encoding="utf-8")
    (tmp_path / "test_wrong.py").write_text("def test_wrong():\n    assert False\n", encoding="utf-8")
    (tmp_path / "mutation.toml").write_text('modules = ["sample/*.py"]\ntests = ["."]\n', encoding="utf-8")

    ended = mutation(tmp_path)

    assert "these tests fail without a mistake: test_wrong.py::test_wrong" in ended.stdout
    assert ended.returncode == 2
