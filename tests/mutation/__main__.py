"""Make a random sample of small mistakes in the pure rooms, and say which of them no test noticed.

Run it with `nox -s mutation`, or `PYTHONPATH=tests python -m mutation --sample 100`. Each mistake is made in a forked
process of its own, which has loaded everything before, and runs those tests that reach its line.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from mutation.mutants import Mutant, Place, mutant_at, places_in, sample
from mutation.pytest_options import OPTIONS, limit_examples, register_profile
from mutation.running import NOT_IN_PLACE, NOTICED, UNNOTICED, Reach, fork, measure, try_freshly, try_in_place

REQUIRED = 0.95


@attrs.define
class _Attempt:
    number: int
    mutant: Mutant
    tests: list[int]
    fresh: bool
    until: float = 0


# Older versions of pytest put their plugins into sets.
@attrs.define(eq=False)
class Trial:
    """A pytest plugin that makes mistakes instead of running the tests that were collected."""

    arguments: argparse.Namespace
    root: Path
    settings: Mapping[str, Any]
    survivors: list[Mutant] = attrs.field(factory=list)
    made: int = 0
    fault: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the sample."""
        found = {path for pattern in self.settings["modules"] for path in self.root.glob(pattern)}
        modules = sorted(str(path.relative_to(self.root)) for path in found if path.name != "__init__.py")
        if session.testsfailed:
            self.fault = "the tests cannot be collected"
            return True
        places = [each for path in modules if self.arguments.only in path for each in places_in(self.root, path)]
        chosen = sample(places, self.arguments.seed, self.arguments.sample)
        limit_examples(session.items)
        print(f"{len(session.items)} tests, {len(chosen)} of {len(places)} mistakes", flush=True)
        reach = measure(session, self.root, modules, self.arguments.workers, self.arguments.memory)
        failed = [session.items[number].nodeid for number, visit in reach.visits.items() if visit.failed]
        if failed:
            self.fault = "these tests fail without a mistake: " + ", ".join(failed)
            return True
        print("every test is measured", flush=True)
        self._try_all(session, reach, chosen, time.monotonic() + 60 * self.arguments.minutes)
        return True

    def _try_all(self, session: pytest.Session, reach: Reach, chosen: Sequence[Place], end: float) -> None:
        explained = {(each["module"], each["before"], each["after"]) for each in self.settings.get("explained", [])}
        waiting = self._attempts(reach, chosen, explained)
        again: deque[_Attempt] = deque()
        running: dict[int, _Attempt] = {}
        while True:
            while len(running) < self.arguments.workers and time.monotonic() < end:
                attempt = again.popleft() if again else next(waiting, None)
                if attempt is None:
                    break
                running[fork(self._work(session, reach, chosen, attempt))] = attempt
            if not running:
                return
            child, result = self._next_end(running)
            attempt = running.pop(child)
            if result in {UNNOTICED, NOT_IN_PLACE} and not attempt.fresh:
                # What was worked out at import, or while tests were collected, has not met the mistake yet.
                again.append(attrs.evolve(attempt, fresh=True))
            elif result in {NOTICED, UNNOTICED}:
                self._count(attempt.mutant, noticed=result == NOTICED)
            else:
                print(f"could not be tried: {attempt.mutant}", flush=True)

    def _attempts(
        self, reach: Reach, chosen: Sequence[Place], explained: set[tuple[str, str, str]]
    ) -> Iterator[_Attempt]:
        for number, place in enumerate(chosen):
            mutant = mutant_at(self.root, place)
            tests = reach.tests_for(mutant, self.arguments.budget)
            if (mutant.path, mutant.before, mutant.after) in explained:
                self._count(mutant, noticed=True)
            elif not tests:
                self._count(mutant, noticed=False)
            else:
                yield _Attempt(number, mutant, tests, fresh=mutant.outside)

    def _work(
        self, session: pytest.Session, reach: Reach, chosen: Sequence[Place], attempt: _Attempt
    ) -> Callable[[], int]:
        seconds = 20 + 3 * sum(reach.visits[test].seconds for test in attempt.tests)
        attempt.until = time.monotonic() + 4 * seconds
        if attempt.fresh:
            names = [session.items[test].nodeid for test in attempt.tests]
            return lambda: try_freshly(self.root, chosen[attempt.number], names, seconds)
        return lambda: try_in_place(session, self.root, attempt.mutant, attempt.tests, seconds)

    @staticmethod
    def _next_end(running: Mapping[int, _Attempt]) -> tuple[int, int]:
        """Wait for one of our processes, killing those that hang, and say how it ended."""

        def end_late_ones(*_: object) -> None:
            for child, attempt in running.items():
                if attempt.until < time.monotonic():
                    os.killpg(child, signal.SIGKILL)

        signal.signal(signal.SIGALRM, end_late_ones)
        signal.setitimer(signal.ITIMER_REAL, 5, 5)
        try:
            child, status = os.wait()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        code = os.waitstatus_to_exitcode(status)
        return child, NOTICED if code < 0 else code

    def _count(self, mutant: Mutant, *, noticed: bool) -> None:
        self.made += 1
        if not noticed:
            self.survivors.append(mutant)
            print(f"survived: {mutant}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many mistakes to make")
    parser.add_argument("--seed", type=int, default=1, help="which sample it is")
    parser.add_argument("--minutes", type=float, default=30, help="start no new ones after this time")
    parser.add_argument("--budget", type=float, default=5, help="seconds of tests for one mistake")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="only modules whose path contains this text")
    parser.add_argument("--settings", type=Path, default=Path(__file__).with_name("mutation.toml"))
    parser.add_argument("--memory", type=Path, default=Path(".mutation"), help="where it notes what the tests reach")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    settings = tomllib.loads(arguments.settings.read_text(encoding="utf-8"))
    assert all(entry["reason"] for entry in settings.get("explained", []))
    root = arguments.root.resolve()
    os.chdir(root)
    # The other ways to measure cannot tell which test reached a line.
    os.environ["COVERAGE_CORE"] = "ctrace"
    register_profile()
    trial = Trial(arguments, root, settings)
    status = pytest.main([*OPTIONS, *settings["tests"]], plugins=[trial])
    if trial.fault or status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        print(trial.fault or "the tests cannot be collected")
        return 2
    share = 1 - len(trial.survivors) / max(trial.made, 1)
    print(f"{trial.made} made, {len(trial.survivors)} noticed by no test: {share:.1%} noticed or explained")
    return 0 if share >= REQUIRED and trial.made else 1


if __name__ == "__main__":
    sys.exit(main())
