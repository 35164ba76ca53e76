"""Make a random sample of small mistakes in the pure rooms, and say which of them no test noticed.

Run it with `nox -s mutation`, or `PYTHONPATH=tests python -m mutation --sample 100`. Each mistake is made in a process
of its own, which is forked from one that has imported what the tests need, and runs the tests of the module's room.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import random
import sys
import time
import tomllib
import types
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutation.mutants import Mutant, mutant_at, places_in
from mutation.rooms import modules, tests_of

ROOT = Path(__file__).parents[2]
REQUIRED = 0.95


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from a syntax tree instead of its file."""

    def __init__(self, name: str, path: str, code: types.CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> types.CodeType:
        return self._code


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._name = mutant.path.removesuffix(".py").replace("/", ".")
        self._path = str(ROOT / mutant.path)
        self._code = compile(mutant.tree, self._path, "exec")

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, _Loader(fullname, self._path, self._code))


def _run_tests(mutant: Mutant | None, tests: Sequence[str]) -> None:
    """Run tests in this process, and end it with the outcome."""
    import pytest

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    options = [
        "-x",
        "-q",
        "--no-header",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "ignore:Module already imported",
    ]
    # Pytest would load our modules itself otherwise, because we have a plugin, and pass by the mistake.
    os._exit(int(pytest.main([*options, "--hypothesis-seed=0", "--assert=plain", *tests])))


def _passes(mutant: Mutant | None, tests: Sequence[str], timeout: float) -> bool:
    """Whether the tests pass; False too if they do not end in time."""
    process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(mutant, tests))
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def _explained() -> set[tuple[str, str, str]]:
    listed = tomllib.loads((Path(__file__).with_name("explained.toml")).read_text(encoding="utf-8"))
    entries = listed.get("mistake", [])
    assert all(entry["reason"] for entry in entries)
    return {(entry["module"], entry["before"], entry["after"]) for entry in entries}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many mistakes to make")
    parser.add_argument("--seed", type=int, default=1, help="which sample it is")
    parser.add_argument("--minutes", type=float, default=60, help="stop starting new ones after this time")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for the tests of one mistake")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="only modules whose path contains this text")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    os.chdir(ROOT)
    # Before the first fork, so that no process imports them again; nothing of ours, since one module will differ.
    for name in (
        "pytest",
        "hypothesis",
        "aiohttp",
        "attrs",
        "cattrs",
        "msgspec",
        "aioresponses",
        "pytest_asyncio.plugin",
    ):
        importlib.import_module(name)
    places = [place for path in modules(ROOT) if arguments.only in path for place in places_in(ROOT, path)]
    chosen = random.Random(arguments.seed).sample(places, min(arguments.sample, len(places)))
    explained = _explained()
    for path in {place.path: None for place in chosen}:
        if not _passes(None, tests_of(path, ROOT), 10 * arguments.timeout):
            print(f"the tests of {path} fail without a mistake", flush=True)
            return 2
    end = time.monotonic() + 60 * arguments.minutes
    print(f"{len(chosen)} of {len(places)} mistakes", flush=True)

    def survivor(number: int) -> Mutant | bool | None:
        """The mistake if no test noticed it, False if one did, None if there was no time for it."""
        if time.monotonic() > end:
            return None
        mutant = mutant_at(ROOT, chosen[number])
        if (mutant.path, mutant.before, mutant.after) in explained:
            return False
        if not _passes(mutant, tests_of(mutant.path, ROOT), arguments.timeout):
            return False
        print(f"survived: {mutant}", flush=True)
        return mutant

    with ThreadPoolExecutor(arguments.workers) as pool:
        results = list(pool.map(survivor, range(len(chosen))))
    made = [result for result in results if result is not None]
    survivors = [result for result in made if result is not False]
    share = 1 - len(survivors) / max(len(made), 1)
    print(f"{len(made)} made, {len(survivors)} noticed by no test: {share:.1%} noticed or explained")
    return 0 if share >= REQUIRED and made else 1


if __name__ == "__main__":
    sys.exit(main())
