"""Every code block of every page, run in order."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from persona_cases.cli import main
from persona_cases.testing import Simulator

ROOT = Path(__file__).parents[2]
PAGES = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")})
BLOCK = re.compile(r"^```([\w{}-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# These install things. The readme session of nox runs the first pair as it stands in the README.
INSTALLS = re.compile(r"^(python3 -m venv|pip install|\.venv/bin/)")
SHELL = re.compile(r"[|<>;&]+|.*[$`*~].*")
# What pages show and no extra of ours installs. Nox installs them for the session `tests`.
OTHERS = {"duckdb", "matplotlib", "pandas", "polars"}
KNOWN_LANGUAGES = {"python", "console", "text", "json", "{toctree}", "{eval-rst}", "mermaid"}


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


def is_missing_something(code: str) -> bool:
    return any(name in code and importlib.util.find_spec(name) is None for name in OTHERS)


def is_program(code: str) -> bool:
    return "asyncio.run(" in code


@pytest.fixture
async def account(monkeypatch):
    """An account for pages that talk of one: a simulator under the environment variables."""
    async with Simulator(cases=300, seed=7) as simulator:
        monkeypatch.setenv("PERSONA_API_KEY", simulator.api_key)
        monkeypatch.setenv("PERSONA_BASE_URL", simulator.base_url)
        yield simulator


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_pages_use_languages_that_are_run(page):
    assert {language for language, _ in blocks(page)} <= KNOWN_LANGUAGES


@pytest.mark.parametrize("page", [page for page in PAGES if "python" in dict(blocks(page))], ids=title)
async def test_python_blocks_run(page, account, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # Pydantic looks for the module of a generic model among those that are imported.
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    namespace: dict[str, Any] = vars(module)
    monkeypatch.syspath_prepend(tmp_path)
    for language, code in blocks(page):
        for command in generating(language, code):
            # Other blocks import what it writes. It has an event loop of its own.
            assert await asyncio.to_thread(main, shlex.split(command)[1:]) == 0
            monkeypatch.delitem(sys.modules, "our_cases", raising=False)
        if language == "python" and not is_program(code) and not is_missing_something(code):
            compiled = compile(code, title(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            result = eval(compiled, namespace)
            if inspect.isawaitable(result):
                await result


def generating(language: str, text: str) -> list[str]:
    """The commands of a block that write Python modules."""
    lines = text.splitlines() if language == "console" else []
    return [line.removeprefix("$ ") for line in lines if " codegen " in line and "--from" not in line]


def programs() -> list[Any]:
    found = []
    for page in PAGES:
        listed = blocks(page)
        for (language, code), following in pairwise([*listed, ("", "")]):
            if language == "python" and is_program(code):
                found.append(pytest.param(code, following, id=title(page)))
    return found


@pytest.mark.parametrize(("code", "following"), programs())
def test_programs_print_what_the_page_says(code, following, tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=600,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert following == ("text", run.stdout)


def commands(page: Path) -> list[str]:
    lines = [line for language, text in blocks(page) if language == "console" for line in text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def needs_shell(command: str) -> bool:
    """Whether a command line has more to it than the words of one command."""
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    return any(map(SHELL.fullmatch, words))


def run_in_shell(command: str) -> str | None:
    """Run a command line; give back what is wrong, if anything."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, timeout=600, env={**os.environ, "PATH": path}
    )
    return run.stderr if run.returncode else None


def run_here(command: str, capsys: pytest.CaptureFixture[str]) -> str | None:
    """The same without a process of its own, which takes longer to start than most commands take to run."""
    code = main(shlex.split(command)[1:])
    captured = capsys.readouterr()
    return captured.err if code else None


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=title)
def test_console_blocks_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        if INSTALLS.match(command):
            continue
        assert command.startswith("persona-cases "), f"nobody runs this: {command}"
        wrong = run_in_shell(command) if needs_shell(command) else run_here(command, capsys)
        assert wrong is None, f"{command}\n{wrong}"
