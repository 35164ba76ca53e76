"""Every check of this project.

`nox` runs what a change needs: the tests on this Python, types and lint. `nox -t matrix` runs the rest, `nox -s NAME`
runs one session, and `nox -l` lists them all.

All tests run once on each Python that is installed: on one of them with the lowest dependencies, and on one against
OpenAPI documents if there are some (docs/decisions/0032).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.stop_on_first_error = False
nox.options.sessions = ["tests", "types", "lint"]

# uv would fetch missing interpreters from elsewhere: only those that are installed count.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
EXTRAS = ".[cli,duckdb,fastapi,fsspec,otel,parquet,postgres,redis,testing,zstd]"


def show_pyenv_versions() -> None:
    """Let the interpreters that pyenv has, but has not selected, be found too."""
    pyenv = shutil.which("pyenv")
    if pyenv is None or "PYENV_VERSION" in os.environ:
        return
    listed = subprocess.run([pyenv, "versions", "--bare"], capture_output=True, text=True, check=False)
    ours = [version for version in listed.stdout.split() if version.rpartition(".")[0] in PYTHONS]
    if ours:
        os.environ["PYENV_VERSION"] = ":".join([*ours, "system"])


show_pyenv_versions()


def is_installed(python: str) -> bool:
    command = shutil.which(f"python{python}")
    return (
        command is not None and subprocess.run([command, "--version"], capture_output=True, check=False).returncode == 0
    )


OPENAPI = os.environ.get("PERSONA_OPENAPI")
OTHERS = [python for python in PYTHONS if python != THIS_PYTHON and is_installed(python)]
# On a machine with one Python, everything runs on that one.
LOWEST_ON = OTHERS[0] if OTHERS else THIS_PYTHON
CONFORMANCE_ON = OTHERS[-1] if len(OTHERS) > 1 else THIS_PYTHON
TESTED_ELSEWHERE = {THIS_PYTHON, LOWEST_ON} | ({CONFORMANCE_ON} if OPENAPI else set())


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


def side_by_side(session: nox.Session, commands: list[tuple[str, ...]], **options: Any) -> None:
    """Run commands of which each uses one core, two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda command: session.run(*command, **options), commands))


def compile_tests(session: nox.Session) -> None:
    """In a fresh checkout, compile modules before workers of pytest start: each of them would compile everything."""
    version = str(session.python or THIS_PYTHON).replace(".", "")
    if any(Path("tests").glob(f"*/__pycache__/*.cpython-{version}-pytest-*.pyc")):
        return
    rooms = sorted(str(path) for path in Path("tests").iterdir() if path.name[0].islower() and path.is_dir())
    # To make the tests too takes a second more, and lets hypothesis read the constants of all modules once.
    collect = ("pytest", "--collect-only", "-qq")
    side_by_side(session, [(*collect, *rooms[::2]), (*collect, *rooms[1::2])], silent=True)


def run_tests(session: nox.Session, *options: str, env: dict[str, str | None] | None = None) -> None:
    # Many tests start processes. Without compiled modules, each of those takes twice as long.
    env = {"PYTHONDONTWRITEBYTECODE": None, **(env or {})}
    session.env.update(env)
    if not session.posargs:
        compile_tests(session)
    # They also wait much: for processes, disks, and clocks of servers.
    workers = 2 * (os.cpu_count() or 1)
    session.run("pytest", "-n", str(workers), "--dist", "worksteal", *options)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on the Python that runs nox."""
    session.install("-e", EXTRAS, *group("test"), *group("tables"))
    run_tests(session, *session.posargs)


@nox.session(python=PYTHONS, tags=["matrix", "suites"])
def matrix(session: nox.Session) -> None:
    """All tests, on each installed Python that no other session runs them on."""
    if session.python in TESTED_ELSEWHERE:
        session.skip("another session runs all tests on this Python")
    session.install("-e", EXTRAS, *group("test"))
    run_tests(session, *session.posargs)


@nox.session(venv_backend="uv", python=LOWEST_ON, tags=["matrix", "suites"])
def lowest(session: nox.Session) -> None:
    """All tests, with the lowest versions of our dependencies that we say we work with."""
    session.install("--resolution", "lowest-direct", "-e", EXTRAS, *group("test"))
    run_tests(session, *session.posargs)


@nox.session(tags=["matrix"])
def browser(session: nox.Session) -> None:
    """The review desk in headless Chromium, if the system has it."""
    if shutil.which("chromium") is None:
        session.skip("there is no Chromium (Debian: apt-get install chromium)")
    session.install("-e", EXTRAS, *group("test"), *group("browser"))
    env: dict[str, str | None] = {"PERSONA_CASES_REQUIRE_BROWSER": "1"}
    session.run("pytest", "tests/docs/test_review_desk_in_browser.py", *session.posargs, env=env)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """All tests once more, to see what they do not reach; not part of the default run."""
    session.install("-e", EXTRAS, *group("test"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(python=CONFORMANCE_ON, tags=["matrix", "suites"])
def conformance(session: nox.Session) -> None:
    """All tests, with requests and responses held against OpenAPI documents: `-- PATH`, or PERSONA_OPENAPI."""
    given = session.posargs[0] if session.posargs else OPENAPI
    if not given:
        session.skip("give an OpenAPI document, or a directory of some: nox -s conformance -- PATH")
    path = Path(given).resolve()
    if not path.exists():
        session.error(f"{path} does not exist")
    session.install("-e", EXTRAS, *group("conformance"))
    env: dict[str, str | None] = {"PYTHONPATH": "tests", "PERSONA_OPENAPI": str(path)}
    fuzzed = "tests/conformance/test_schemathesis.py"
    run_tests(session, "-p", "conformance.plugin", "--openapi-complete", f"--ignore={fuzzed}", env=env)
    run_tests(session, "-p", "conformance.plugin", fuzzed, env=env)


@nox.session(default=False)
def thorough(session: nox.Session) -> None:
    """The property tests, with a thousand examples each: for changes to what they describe."""
    session.install("-e", EXTRAS, *group("test"))
    run_tests(session, "-m", "hypothesis", "--hypothesis-profile=thorough", *session.posargs)


@nox.session(default=False)
def mirrors(session: nox.Session) -> None:
    """500 random scripts against a mirror, and 50 killed syncs, of each database: for changes to mirrors."""
    session.install("-e", EXTRAS, *group("test"))
    env: dict[str, str | None] = {"PERSONA_CASES_MIRROR_SCRIPTS": "500", "PERSONA_CASES_MIRROR_KILLS": "50"}
    run_tests(session, "tests/mirror", *session.posargs, env=env)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Small mistakes in the pure rooms, a random sample: 95 % are to be noticed by the tests, or explained."""
    session.install("-e", EXTRAS, *group("test"))
    session.run("python", "-m", "mutation", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def types(session: nox.Session) -> None:
    """Mypy and pyright, both strict, what users' checkers see of us, and the tests of what they must refuse."""
    session.install("-e", EXTRAS, *group("test"), *group("types"), *group("tables"), *group("programs"))
    checks = [
        ("pyright",),
        ("mypy",),
        ("pyright", "--verifytypes", "persona_cases", "--ignoreexternal"),
        ("pytest", "tests/typing"),
    ]
    side_by_side(session, checks)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(tags=["matrix"])
def docs(session: nox.Session) -> None:
    """Build the documentation; any warning is an error."""
    session.install("-e", EXTRAS, *group("docs"))
    session.run("sphinx-build", "-W", "-n", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session(venv_backend="none", tags=["matrix"])
def readme(session: nox.Session) -> None:
    """Run the first command of the README as it is written, in a fresh copy."""
    copy = Path(session.create_tmp()).absolute() / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".*", "_build", "__pycache__", "*.jsonl"))
    lines = Path("README.md").read_text(encoding="utf-8").splitlines()
    command = next(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    with session.chdir(copy):
        session.run("bash", "-c", command, external=True)
        exported = Path("open.jsonl").read_text(encoding="utf-8").splitlines()
    if not exported:
        session.error("the README's first command exported nothing")


@nox.session(tags=["matrix"])
def package(session: nox.Session) -> None:
    """Build the wheel, install it by itself, and use it as a stranger would."""
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("build", "hatchling")
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist))
    (wheel,) = dist.glob("*.whl")
    session.install("--force-reinstall", f"{wheel}[cli]")
    with session.chdir(dist):
        session.run("python", "-c", "import persona_cases; print(persona_cases.__version__)")
        session.run("persona-cases", "export", "--simulator", "--cases", "50", "-o", "cases.jsonl")
        session.run("python", "-c", "assert len(open('cases.jsonl').readlines()) == 50")
