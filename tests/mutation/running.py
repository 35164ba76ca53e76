"""Collect the tests once; then see in forked processes which lines each reaches, and which mistakes it notices."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import coverage
import pytest

from mutation.mutants import Mutant, Place
from mutation.swapping import swap

BROKEN, NOTICED, UNNOTICED, NOT_IN_PLACE = 1, 10, 11, 12
"""How a process ends; by a signal, if its mistake was a loop without an end."""

MEMORY = 4 << 30
"""Bytes: some mistakes are loops without an end, and fill a list meanwhile."""


@attrs.frozen
class Visit:
    """What one test does without a mistake: its seconds of processor time, and the lines that it reaches, by module."""

    seconds: float
    lines: Mapping[str, frozenset[int]]
    failed: bool = False


@attrs.frozen
class Reach:
    """What all tests do without a mistake, by their number, and which room they are for; None if for no single one."""

    visits: Mapping[int, Visit]
    rooms: Mapping[int, str | None]

    def tests_for(self, mutant: Mutant, budget: float) -> list[int]:
        """The tests that could notice a mistake, quickest first, as many as fit into so many seconds."""
        lines_of = {test: visit.lines.get(mutant.path, frozenset()) for test, visit in self.visits.items()}
        # What attrs makes of a class body, such as `__eq__`, has no lines: any test of the room may reach it.
        rooms = {None, *Path(mutant.path).parts} if mutant.outside else set[str | None]()
        found = [test for test, lines in lines_of.items() if self.rooms[test] in rooms or (mutant.outside and lines)]
        for wanted in mutant.lines:
            found = found or [test for test, lines in lines_of.items() if not lines.isdisjoint(wanted)]
        chosen, spent = list[int](), 0.0
        for test in sorted(found, key=lambda test: (self.visits[test].seconds, test)):
            spent += self.visits[test].seconds
            if chosen and spent > budget:
                break
            chosen.append(test)
        return chosen


def run_tests(session: pytest.Session, numbers: Sequence[int], each: Callable[[int], None] | None = None) -> bool:
    """Run tests that were collected, and whether they pass; stops at the first failure unless each is looked at."""
    items = [session.items[number] for number in numbers]
    for number, item, following in zip(numbers, items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if each:
            each(number)
        elif session.testsfailed:
            return False
    return not session.testsfailed


def silence() -> None:
    """Say nothing more from this process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def fork(work: Callable[[], int]) -> int:
    """Do work in a process of its own, which ends with its result."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    result = BROKEN
    try:
        os.setpgid(0, 0)
        silence()
        result = work()
    finally:
        os._exit(result)


def measure(session: pytest.Session, root: Path, modules: Sequence[str], workers: int, memory: Path) -> Reach:
    """Run all tests without a mistake, and note what they reach; those that have not changed are remembered."""
    sources = _digest(root, modules)
    files = {item.nodeid.partition("::")[0] for item in session.items}
    digests = {file: _digest(root, [file]) for file in files}
    keys = {
        number: (sources, digests[item.nodeid.partition("::")[0]], item.nodeid)
        for number, item in enumerate(session.items)
    }
    known = pickle.loads(memory.read_bytes()) if memory.exists() else {}
    missing = [number for number, key in keys.items() if key not in known]
    with TemporaryDirectory() as place:
        size = len(missing) // workers + 1
        shares = [missing[start : start + size] for start in range(0, len(missing), size)]
        notes = [Path(place, str(part)) for part in range(len(shares))]
        children = [
            fork(lambda share=share, note=note: _note_visits(session, root, modules, share, note))
            for share, note in zip(shares, notes, strict=True)
        ]
        for child in children:
            os.waitpid(child, 0)
        visits = {number: visit for note in notes for number, visit in pickle.loads(note.read_bytes()).items()}
    known = {key: visits.get(number) or known[key] for number, key in keys.items()}
    memory.write_bytes(pickle.dumps({key: visit for key, visit in known.items() if not visit.failed}))
    names = {part for module in modules for part in Path(module).parts[1:-1]}
    directories = {
        number: Path(item.nodeid.partition("::")[0]).parts[1:-1] for number, item in enumerate(session.items)
    }
    rooms = {number: next(iter(names.intersection(parts)), None) for number, parts in directories.items()}
    return Reach({number: known[key] for number, key in keys.items()}, rooms)


def _digest(root: Path, files: Sequence[str]) -> str:
    return hashlib.sha256(b"".join((root / file).read_bytes() for file in files)).hexdigest()


def _note_visits(
    session: pytest.Session, root: Path, modules: Sequence[str], numbers: Sequence[int], note: Path
) -> int:
    seconds: dict[int, float] = {}
    failed: set[int] = set()
    watch = coverage.Coverage(
        data_file=None, config_file=False, include=[str(root / module) for module in modules], messages=False
    )
    following = dict(pairwise(numbers))
    began, failures = time.process_time(), 0

    def each(number: int) -> None:
        nonlocal began, failures
        now = time.process_time()
        seconds[number], began = now - began, now
        if session.testsfailed > failures:
            failed.add(number)
            failures = session.testsfailed
        watch.switch_context(str(following.get(number, "")))

    watch.start()
    watch.switch_context(str(numbers[0]))
    run_tests(session, numbers, each)
    watch.stop()
    data = watch.get_data()
    lines: dict[int, dict[str, set[int]]] = {number: {} for number in numbers}
    for module in modules:
        for line, tests in data.contexts_by_lineno(str(root / module)).items():
            for test in filter(None, tests):
                lines[int(test)].setdefault(module, set()).add(line)
    visits = {
        number: Visit(
            seconds[number],
            {module: frozenset(reached) for module, reached in lines[number].items()},
            number in failed,
        )
        for number in numbers
    }
    note.write_bytes(pickle.dumps(visits))
    return 0


def try_in_place(session: pytest.Session, root: Path, mutant: Mutant, tests: Sequence[int], cpu: float) -> int:
    """In a forked process: make the mistake in what is loaded, and run tests; NOTICED, UNNOTICED or NOT_IN_PLACE."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    if not swap(root, mutant):
        return NOT_IN_PLACE
    # A loop without an end is noticed, however busy the machine is.
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 1))
    return UNNOTICED if run_tests(session, tests) else NOTICED


def try_freshly(root: Path, place: Place, tests: Sequence[str], cpu: float) -> int:
    """In a forked process: import everything again, with the mistake, and run tests; NOTICED or UNNOTICED."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 1))
    order = json.dumps({"root": str(root), "place": attrs.astuple(place), "tests": list(tests)})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "mutation.fresh"]
    ended = subprocess.run(command, input=order, text=True, cwd=root, env=environment, check=False)
    return NOTICED if ended.returncode < 0 else ended.returncode
